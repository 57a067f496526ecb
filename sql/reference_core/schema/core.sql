-- The reference core: a property insurer's core system in the tables that statutory reporting reads.
-- Modelled on the common P&C entities (policy, item, coverage, endorsement, claim, compensation, planned fee, payment,
-- commission, treaty, bill, GL, voucher). It holds the days from 2025-07-01 to 2026-04-30.
-- Portable between SQLite and PostgreSQL: money is BIGINT hundredths (SQLite's NUMERIC is a float), rates are basis
-- points, dates are DATE (ISO text on SQLite), text is TEXT. No defaults, no triggers: a core that Baosong only reads.
-- Keys are not declared as constraints where real cores break them: finding such rows is the validation's work.

CREATE TABLE organisation (
    org_code        TEXT NOT NULL PRIMARY KEY,  -- 6 digits, as in the deployment's organisations.csv
    name            TEXT NOT NULL,
    org_type        TEXT NOT NULL,              -- 总公司 / 省分 / 中支 / 支公司 / 营销服务部
    parent_code     TEXT,                       -- NULL for the head office
    level           INTEGER NOT NULL,           -- 0 head office, 1 branch (incl. 总公司本级), 2 sub-branch
    is_own_account  INTEGER NOT NULL,           -- 1 for 总公司本级, which belongs to no region
    region_code     TEXT NOT NULL,              -- GB/T 2260, county
    uscc            TEXT NOT NULL,              -- GB 32100 unified social credit code
    licence_no      TEXT,
    established_on  DATE NOT NULL,
    closed_on       DATE,
    status          TEXT NOT NULL,              -- 开业 / 停业 / 撤销
    principal       TEXT,
    address         TEXT,
    postcode        TEXT,
    phone           TEXT
);

CREATE TABLE staff (
    staff_id     TEXT NOT NULL,                 -- YG + branch (6) + serial (4)
    org_code     TEXT NOT NULL,                 -- the branch (level 1)
    unit_code    TEXT NOT NULL,                 -- where they work: the branch or a sub-branch of it
    name         TEXT,
    sex          TEXT,
    id_type      TEXT,                          -- 居民身份证
    id_no        TEXT,
    department   TEXT,
    position     TEXT,
    education    TEXT,                          -- 博士研究生 / 硕士研究生 / 本科 / 大专 / 其他
    hired_on     DATE NOT NULL,
    left_on      DATE,
    status       TEXT NOT NULL,                 -- 在职 / 离职
    mobile       TEXT,
    country      TEXT,                          -- GB/T 2659, CHN
    is_executive INTEGER NOT NULL,              -- 董监高
    bank_account TEXT                           -- where salary is paid to
);

CREATE TABLE intermediary (
    intermediary_code TEXT NOT NULL,            -- ZJ + branch (6) + serial (3)
    org_code          TEXT NOT NULL,            -- the branch that keeps the contract
    name              TEXT,
    kind              TEXT NOT NULL,            -- 专业代理 / 兼业代理 / 经纪
    uscc              TEXT,
    licence_no        TEXT,
    licence_from      DATE,
    licence_to        DATE,
    contract_no       TEXT,
    contract_from     DATE,
    contract_to       DATE,
    commission_cap_bp INTEGER,
    status            TEXT NOT NULL,            -- 有效 / 终止
    bank              TEXT,
    bank_account      TEXT
);

CREATE TABLE seller (
    seller_code      TEXT NOT NULL,             -- XS + branch (6) + serial (4)
    org_code         TEXT NOT NULL,
    unit_code        TEXT NOT NULL,
    kind             TEXT NOT NULL,             -- 员工 / 个人代理人
    name             TEXT,
    sex              TEXT,
    id_type          TEXT,
    id_no            TEXT,
    education        TEXT,
    hired_on         DATE NOT NULL,
    left_on          DATE,
    status           TEXT NOT NULL,             -- 在职 / 离职
    mobile           TEXT,
    country          TEXT,
    certificate_no   TEXT,                      -- 执业证 (practising certificate)
    certificate_to   DATE,
    bank_account     TEXT                       -- where commission is paid to
);

CREATE TABLE customer (
    customer_id   TEXT NOT NULL,
    org_code      TEXT NOT NULL,                -- the branch (level 1) that keeps the customer
    customer_type TEXT NOT NULL,                -- 个人 / 单位
    name          TEXT,
    id_type       TEXT,                         -- 居民身份证 / 统一社会信用代码
    id_no         TEXT,
    id_valid_to   DATE,                         -- 9999-12-31 lifelong
    sex           TEXT,                         -- 男 / 女, persons only
    born_on       DATE,                         -- persons only
    country       TEXT,                         -- CHN
    occupation    TEXT,                         -- persons only
    industry      TEXT,                         -- companies only: GB/T 4754-2017, the division (2 digits)
    region_code   TEXT,
    address       TEXT,
    mobile        TEXT,
    email         TEXT,
    legal_person  TEXT,                         -- companies only
    aml_risk      TEXT,                         -- 低 / 中 / 高
    is_related    INTEGER NOT NULL              -- related party of the insurer
);

CREATE TABLE product (
    product_code  TEXT NOT NULL,
    name          TEXT NOT NULL,
    line          TEXT NOT NULL,                -- JQ 交强 SY 商业车险 QC 企财 JC 家财 GC 工程 ZR 责任 XY 信用 BZ 保证 CB 船舶 HY 货运 TF 特殊风险 NY 农业 JK 短期健康 YW 意外 QT 其他
    clause_code   TEXT,
    filing_no     TEXT,                         -- 备案号
    effective_on  DATE NOT NULL,
    ceased_on     DATE,
    is_main       INTEGER NOT NULL,
    is_compulsory INTEGER NOT NULL,
    design_type   TEXT NOT NULL,                -- 行业示范 / 自主开发
    commission_cap_bp INTEGER                   -- the highest rate filed
);

CREATE TABLE policy (
    policy_no           TEXT NOT NULL,          -- branch (6) + line (2) + year (4) + serial (8)
    proposal_no         TEXT NOT NULL,
    product_code        TEXT NOT NULL,
    line                TEXT NOT NULL,
    org_code            TEXT NOT NULL,          -- the branch (level 1) that keeps the policy
    undertaking_org     TEXT NOT NULL,          -- the sub-branch (level 2) that wrote it
    applicant_id        TEXT NOT NULL,
    insured_id          TEXT NOT NULL,
    applicant_name      TEXT,
    insured_name        TEXT,
    signed_on           DATE NOT NULL,
    underwritten_on     DATE,
    starts_on           DATE NOT NULL,
    ends_on             DATE NOT NULL,
    currency            TEXT NOT NULL,
    sum_insured_cents   BIGINT NOT NULL,
    premium_cents       BIGINT NOT NULL,        -- as signed, with VAT; of coinsured policies this company's share
    premium_net_cents   BIGINT NOT NULL,        -- as signed, without VAT
    vat_cents           BIGINT NOT NULL,
    vehicle_tax_cents   BIGINT NOT NULL,        -- collected for the tax office, no income
    channel             TEXT NOT NULL,          -- 直销 / 个代 / 专代 / 兼代 / 经纪 / 电销 / 网销
    intermediary_code   TEXT,                   -- 专代 / 兼代 / 经纪
    seller_code         TEXT,
    commission_rate_bp  INTEGER,                -- basis points of the premium without VAT
    payment_mode        TEXT NOT NULL,          -- 趸交 / 分期
    instalments         INTEGER NOT NULL,       -- how many; 1 when paid at once
    coinsurance         TEXT NOT NULL,          -- 否 / 主共 / 从共
    is_reinsured        INTEGER NOT NULL,       -- the line is ceded under a treaty
    is_backdated        INTEGER NOT NULL,       -- 倒签单: signed after it starts, with permission
    is_renewal          INTEGER NOT NULL,
    previous_policy_no  TEXT,                   -- of a renewal
    source_of_business  TEXT,                   -- 新保 / 续保 / 转保
    status              TEXT NOT NULL,          -- 有效 / 满期 / 退保 / 注销
    endorsement_count   INTEGER NOT NULL
);

-- What is insured, one or more rows per policy that is not a vehicle's.
CREATE TABLE insured_item (
    policy_no         TEXT NOT NULL,
    seq               INTEGER NOT NULL,
    kind              TEXT NOT NULL,            -- 建筑物 / 机器设备 / 房屋 / 工程项目 / 场所 / 合同 / 船舶 / 货物 / 卫星航天 / 种植养殖 / 人员 / 其他
    name              TEXT,
    address           TEXT,
    region_code       TEXT,
    quantity          INTEGER NOT NULL,
    value_cents       BIGINT NOT NULL,
    sum_insured_cents BIGINT NOT NULL,
    premium_cents     BIGINT NOT NULL           -- all items of a policy are its premium as signed
);

-- One row per policy of JQ and SY.
CREATE TABLE vehicle (
    policy_no           TEXT NOT NULL,
    seq                 INTEGER NOT NULL,
    plate_no            TEXT,                   -- NULL while the vehicle is not registered
    plate_colour        TEXT,                   -- 蓝 / 黄 / 绿
    vin                 TEXT,
    engine_no           TEXT,
    model               TEXT,
    vehicle_class       TEXT,                   -- 客车 / 货车 / 摩托车
    vehicle_use         TEXT,                   -- 家庭自用 / 非营业 / 营业
    seats               INTEGER,
    load_kg             INTEGER,
    first_registered_on DATE,
    new_price_cents     BIGINT,
    ncd_bp              INTEGER,                -- no-claim discount factor, 10000 = 1
    related_policy_no   TEXT                    -- the same vehicle's policy of the other of the two lines
);

CREATE TABLE coverage (
    policy_no         TEXT NOT NULL,
    seq               INTEGER NOT NULL,         -- of the coverage
    item_seq          INTEGER NOT NULL,         -- of the vehicle or item it covers
    coverage_code     TEXT NOT NULL,
    sum_insured_cents BIGINT,
    premium_cents     BIGINT NOT NULL,          -- with VAT, as signed
    deductible_cents  BIGINT,                   -- 免赔额
    deductible_bp     INTEGER,                  -- 免赔率
    no_deductible     INTEGER NOT NULL          -- 不计免赔
);

CREATE TABLE endorsement (
    endorsement_no            TEXT NOT NULL,    -- PD + branch (6) + line (2) + year (4) + serial (7)
    policy_no                 TEXT NOT NULL,
    seq                       INTEGER NOT NULL,
    endorsement_type          TEXT NOT NULL,    -- 保费变更 / 信息变更 / 退保
    applied_on                DATE,
    effective_on              DATE NOT NULL,
    premium_before_cents      BIGINT NOT NULL,  -- with VAT
    premium_after_cents       BIGINT NOT NULL,
    premium_change_cents      BIGINT NOT NULL,
    premium_net_change_cents  BIGINT NOT NULL,
    sum_insured_change_cents  BIGINT NOT NULL,
    new_starts_on             DATE,             -- only where the period changes; never in this book
    new_ends_on               DATE,
    reason                    TEXT
);

-- The plan of policies that pay in instalments; what is due and paid is in planned_fee and payment.
CREATE TABLE instalment (
    policy_no    TEXT NOT NULL,
    seq          INTEGER NOT NULL,
    due_on       DATE NOT NULL,
    amount_cents BIGINT NOT NULL                -- with VAT; all of them are the premium as signed
);

-- Shares of a coinsured policy; amounts are of the whole risk.
CREATE TABLE coinsurance (
    policy_no         TEXT NOT NULL,
    seq               INTEGER NOT NULL,
    participant_code  TEXT NOT NULL,
    participant_name  TEXT NOT NULL,
    is_lead           INTEGER NOT NULL,
    is_own            INTEGER NOT NULL,         -- this company: its premium is the policy's
    share_bp          INTEGER NOT NULL,
    sum_insured_cents BIGINT NOT NULL,
    premium_cents     BIGINT NOT NULL
);

CREATE TABLE claim (
    claim_no        TEXT NOT NULL,
    report_no       TEXT NOT NULL,
    register_no     TEXT,
    policy_no       TEXT NOT NULL,
    product_code    TEXT NOT NULL,
    line            TEXT NOT NULL,
    org_code        TEXT NOT NULL,
    occurred_on     DATE NOT NULL,
    reported_on     DATE NOT NULL,
    registered_on   DATE,
    closed_on       DATE,
    cause           TEXT NOT NULL,
    place           TEXT,
    region_code     TEXT,                       -- of the place
    liability_bp    INTEGER,                    -- 责任比例
    loss_cents      BIGINT,                     -- assessed loss
    estimate_cents  BIGINT NOT NULL,            -- the reserve set at registration: outstanding = estimate − paid so far
    reserve_cents   BIGINT NOT NULL,            -- outstanding, 0 when closed
    settled_cents   BIGINT NOT NULL,            -- Σ of its claim payments
    expense_cents   BIGINT NOT NULL,            -- Σ of its claim_expense
    status          TEXT NOT NULL,              -- 已报案 / 已立案 / 已结案
    close_type      TEXT,                       -- 赔付结案 / 零结案
    is_litigated    INTEGER NOT NULL,
    recourse_cents  BIGINT NOT NULL,            -- recovered from third parties (追偿); 0 in this book
    salvage_cents   BIGINT NOT NULL,            -- 残值; 0 in this book
    plate_no        TEXT
);

-- Direct claim expenses (直接理赔费用).
CREATE TABLE claim_expense (
    claim_no     TEXT NOT NULL,
    seq          INTEGER NOT NULL,
    org_code     TEXT NOT NULL,
    kind         TEXT NOT NULL,                 -- 查勘费 / 公估费 / 诉讼费
    amount_cents BIGINT NOT NULL,
    payee_name   TEXT,
    payee_account TEXT,
    bank         TEXT,
    paid_on      DATE NOT NULL,
    voucher_no   TEXT
);

-- What is due (应收应付): premiums P, endorsement premiums E, claims C, commission F (a month's statement).
CREATE TABLE planned_fee (
    fee_no       TEXT NOT NULL,
    kind         TEXT NOT NULL,                 -- P / E / C / F
    business_no  TEXT NOT NULL,                 -- policy, endorsement, claim, commission statement
    policy_no    TEXT,
    org_code     TEXT NOT NULL,
    seq          INTEGER NOT NULL,              -- instalment, or number within the claim
    due_on       DATE NOT NULL,
    amount_cents BIGINT NOT NULL,               -- P with the vehicle tax collected; refunds negative
    currency     TEXT NOT NULL,
    party_name   TEXT
);

CREATE TABLE payment (
    payment_no    TEXT NOT NULL,
    kind          TEXT NOT NULL,                -- premium (received: P, E) / claim (paid to the payee: C) / commission (F)
    fee_no        TEXT,                         -- the planned fee it settles in full
    org_code      TEXT NOT NULL,
    policy_no     TEXT,                         -- NULL for commission
    claim_no      TEXT,                         -- claim payments: claim, calculation and number within it
    calculation_no TEXT,
    seq           INTEGER,
    coverage_code TEXT,
    amount_cents  BIGINT NOT NULL,
    currency      TEXT NOT NULL,
    counterparty_name    TEXT,
    counterparty_id_no   TEXT,
    counterparty_account TEXT,
    bank          TEXT,
    paid_on       DATE NOT NULL,
    method        TEXT NOT NULL,                -- 转账 / 现金
    relation      TEXT,                         -- payee to insured: 本人 / 维修厂 / 第三者
    voucher_no    TEXT,
    is_advance    INTEGER NOT NULL
);

-- Commission owed per policy and per endorsement that changes the premium; to the intermediary, or to an agent (个代).
CREATE TABLE commission (
    policy_no         TEXT NOT NULL,
    seq               INTEGER NOT NULL,         -- within the policy
    endorsement_no    TEXT,                     -- NULL for the policy as signed
    org_code          TEXT NOT NULL,
    line              TEXT NOT NULL,
    intermediary_code TEXT,
    seller_code       TEXT,                     -- the agent; NULL where an intermediary is owed
    base_cents        BIGINT NOT NULL,          -- premium without VAT
    rate_bp           INTEGER NOT NULL,
    payable_cents     BIGINT NOT NULL,          -- base × rate, half up; booked to 6421 on accrued_on
    accrued_on        DATE NOT NULL,
    paid_cents        BIGINT NOT NULL,          -- 0 until the statement is paid
    paid_on           DATE,
    statement_no      TEXT,                     -- planned_fee.business_no of kind F
    voucher_no        TEXT                      -- of the accrual
);

CREATE TABLE treaty (
    treaty_no     TEXT NOT NULL,
    name          TEXT NOT NULL,
    kind          TEXT NOT NULL,                -- 成数 / 溢额
    line          TEXT NOT NULL,
    starts_on     DATE NOT NULL,
    ends_on       DATE NOT NULL,
    currency      TEXT NOT NULL,
    retention_cents BIGINT,
    limit_cents   BIGINT,
    commission_bp INTEGER NOT NULL
);

CREATE TABLE treaty_share (
    treaty_no        TEXT NOT NULL,
    reinsurer_code   TEXT NOT NULL,
    reinsurer_name   TEXT NOT NULL,
    is_lead          INTEGER NOT NULL,
    share_bp         INTEGER NOT NULL           -- of the whole risk; all shares of a treaty are at most 10000
);

-- The monthly statement of account per branch, treaty and reinsurer.
CREATE TABLE ceded_bill (
    bill_no          TEXT NOT NULL,
    org_code         TEXT NOT NULL,
    treaty_no        TEXT NOT NULL,
    reinsurer_code   TEXT NOT NULL,
    line             TEXT NOT NULL,
    period           TEXT NOT NULL,             -- YYYYMM
    billed_on        DATE NOT NULL,
    currency         TEXT NOT NULL,
    premium_cents    BIGINT NOT NULL,           -- ceded: 6541
    commission_cents BIGINT NOT NULL,           -- 6203
    recovered_cents  BIGINT NOT NULL,           -- Σ of its recoveries: 6202
    balance_cents    BIGINT NOT NULL,           -- premium − commission − recovered, owed to the reinsurer
    settled_on       DATE,
    voucher_no       TEXT
);

-- What reinsurers owe per claim payment (摊回赔款).
CREATE TABLE recovery (
    recovery_no    TEXT NOT NULL,
    bill_no        TEXT NOT NULL,
    org_code       TEXT NOT NULL,
    treaty_no      TEXT NOT NULL,
    reinsurer_code TEXT NOT NULL,
    claim_no       TEXT NOT NULL,
    payment_no     TEXT NOT NULL,
    paid_cents     BIGINT NOT NULL,             -- the claim payment
    share_bp       INTEGER NOT NULL,
    amount_cents   BIGINT NOT NULL,
    recovered_on   DATE NOT NULL
);

CREATE TABLE gl_account (
    account_no  TEXT NOT NULL,                  -- leaf accounts of income, outgo and reserves carry the line: 6031JQ, 260201SY
    name        TEXT NOT NULL,
    level       INTEGER NOT NULL,               -- 1, or 2 below another
    parent_no   TEXT,
    direction   TEXT NOT NULL,                  -- 借 / 贷
    is_leaf     INTEGER NOT NULL
);

-- Which account of the general chart (企业会计准则) each of the company's own accounts stands for.
CREATE TABLE account_map (
    internal_no   TEXT NOT NULL,                -- as in gl_account
    internal_name TEXT NOT NULL,
    account_no    TEXT NOT NULL,                -- of the general chart of accounts, 4 digits
    account_name  TEXT NOT NULL,
    direction     TEXT NOT NULL,
    line          TEXT,
    valid_from    DATE NOT NULL,
    valid_to      DATE                          -- NULL: still valid
);

-- Every branch, and the whole company under the head office's code; leaf accounts, and the accounts above as their sums.
CREATE TABLE gl_balance (
    org_code             TEXT NOT NULL,         -- the branch (level 1), or the head office for all of them
    account_no           TEXT NOT NULL,
    period               TEXT NOT NULL,         -- YYYYMM
    currency             TEXT NOT NULL,
    opening_debit_cents  BIGINT NOT NULL,
    opening_credit_cents BIGINT NOT NULL,
    debit_cents          BIGINT NOT NULL,
    credit_cents         BIGINT NOT NULL,
    closing_debit_cents  BIGINT NOT NULL,
    closing_credit_cents BIGINT NOT NULL
);

-- Leaf accounts only. A day's events of one kind and line share a voucher.
CREATE TABLE voucher (
    org_code     TEXT NOT NULL,
    voucher_no   TEXT NOT NULL,                 -- YYYYMM-nnnnnn within the branch
    line_no      INTEGER NOT NULL,
    booked_on    DATE NOT NULL,
    period       TEXT NOT NULL,
    account_no   TEXT NOT NULL,
    currency     TEXT NOT NULL,
    debit_cents  BIGINT NOT NULL,
    credit_cents BIGINT NOT NULL,
    summary      TEXT NOT NULL,
    attachments  INTEGER NOT NULL,
    prepared_by  TEXT NOT NULL,
    reviewed_by  TEXT NOT NULL
);

CREATE UNIQUE INDEX voucher_line ON voucher (org_code, voucher_no, line_no);
CREATE INDEX coverage_policy ON coverage (policy_no);
CREATE INDEX policy_signed ON policy (signed_on);
CREATE INDEX payment_fee ON payment (fee_no);
