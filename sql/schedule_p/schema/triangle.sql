-- The source database of the Schedule P filings: one table, filled from data/clrd.csv. Amounts in thousands of USD.
CREATE TABLE triangle (
    grcode            TEXT NOT NULL,     -- NAIC group code of the filer
    grname            TEXT NOT NULL,
    accident_year     INTEGER NOT NULL,
    development_year  INTEGER NOT NULL,
    development_lag   INTEGER NOT NULL,
    incur_loss        BIGINT NOT NULL,
    cum_paid_loss     BIGINT NOT NULL,
    bulk_loss         BIGINT NOT NULL,
    earned_prem_dir   BIGINT NOT NULL,
    earned_prem_ceded BIGINT NOT NULL,
    earned_prem_net   BIGINT NOT NULL,
    single            INTEGER NOT NULL,  -- 1 single entity, 0 group
    posted_reserve_97 BIGINT NOT NULL,
    lob               TEXT NOT NULL
);

CREATE INDEX triangle_lob ON triangle (lob);
