-- The reference core: a property insurer's core system in the few tables that statutory reporting reads.
-- Modelled on the common P&C entities (policy, coverage, endorsement, claim, compensation, payment, GL, voucher).
-- Portable between SQLite and PostgreSQL: money is BIGINT hundredths (SQLite's NUMERIC is a float), rates are basis
-- points, dates are DATE (ISO text on SQLite), text is TEXT. No defaults, no triggers: a core that Baosong only reads.
-- Keys are not declared as constraints where real cores break them: finding such rows is the validation's work.

CREATE TABLE organisation (
    org_code        TEXT NOT NULL PRIMARY KEY,  -- 6 digits, as in the deployment's organisations.csv
    name            TEXT NOT NULL,
    org_type        TEXT NOT NULL,              -- 总公司 / 省分 / 中支
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
    region_code   TEXT,
    address       TEXT,
    mobile        TEXT,
    email         TEXT
);

CREATE TABLE product (
    product_code  TEXT NOT NULL,
    name          TEXT NOT NULL,
    line          TEXT NOT NULL,                -- line of business, see codes in the standards: JQ 交强, SY 商业车险, QC 企财, JC 家财, HY 货运, ZR 责任, YW 意外
    clause_code   TEXT,
    filing_no     TEXT,                         -- 备案号
    effective_on  DATE NOT NULL,
    ceased_on     DATE,
    is_main       INTEGER NOT NULL,
    is_compulsory INTEGER NOT NULL,
    design_type   TEXT NOT NULL
);

CREATE TABLE policy (
    policy_no           TEXT NOT NULL,
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
    premium_cents       BIGINT NOT NULL,        -- as signed, with VAT
    premium_net_cents   BIGINT NOT NULL,        -- as signed, without VAT
    vat_cents           BIGINT NOT NULL,
    vehicle_tax_cents   BIGINT NOT NULL,        -- collected for the tax office, no income
    channel             TEXT NOT NULL,          -- 直销 / 个代 / 专代 / 兼代 / 经纪 / 电销 / 网销
    intermediary_code   TEXT,
    seller_code         TEXT,
    commission_rate_bp  INTEGER,                -- basis points of the premium without VAT
    is_renewal          INTEGER NOT NULL,
    status              TEXT NOT NULL,          -- 有效 / 满期 / 退保 / 注销
    endorsement_count   INTEGER NOT NULL
);

CREATE TABLE coverage (
    policy_no         TEXT NOT NULL,
    seq               INTEGER NOT NULL,
    coverage_code     TEXT NOT NULL,
    sum_insured_cents BIGINT,
    premium_cents     BIGINT NOT NULL           -- with VAT, as signed
);

CREATE TABLE endorsement (
    endorsement_no            TEXT NOT NULL,
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
    reason                    TEXT
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
    loss_cents      BIGINT,                     -- assessed loss
    reserve_cents   BIGINT NOT NULL,            -- outstanding, 0 when closed
    settled_cents   BIGINT NOT NULL,            -- Σ of its claim payments
    expense_cents   BIGINT NOT NULL,
    status          TEXT NOT NULL,              -- 已报案 / 已立案 / 已结案
    close_type      TEXT,                       -- 赔付结案 / 零结案
    plate_no        TEXT
);

CREATE TABLE payment (
    payment_no    TEXT NOT NULL,
    kind          TEXT NOT NULL,                -- premium (received from the applicant) / claim (paid to the payee)
    org_code      TEXT NOT NULL,
    policy_no     TEXT NOT NULL,
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

CREATE TABLE gl_account (
    account_no  TEXT NOT NULL,                  -- leaf accounts of income and claims carry the line: 6031JQ, 6511SY
    name        TEXT NOT NULL,
    level       INTEGER NOT NULL,
    parent_no   TEXT,
    direction   TEXT NOT NULL                   -- 借 / 贷
);

CREATE TABLE gl_balance (
    org_code             TEXT NOT NULL,         -- the branch (level 1)
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

CREATE TABLE voucher (
    org_code     TEXT NOT NULL,
    voucher_no   TEXT NOT NULL,
    line_no      INTEGER NOT NULL,
    booked_on    DATE NOT NULL,
    period       TEXT NOT NULL,
    account_no   TEXT NOT NULL,
    debit_cents  BIGINT NOT NULL,
    credit_cents BIGINT NOT NULL,
    summary      TEXT NOT NULL,
    prepared_by  TEXT NOT NULL,
    reviewed_by  TEXT NOT NULL
);

CREATE UNIQUE INDEX voucher_line ON voucher (org_code, voucher_no, line_no);
CREATE INDEX coverage_policy ON coverage (policy_no);
CREATE INDEX policy_signed ON policy (signed_on);
