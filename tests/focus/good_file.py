"""A file of FOCUS that breaks no rule, made by hand: what each version asks for, in a few rows."""

from pathlib import Path

import duckdb

from pipelines.focus.columns import columns_of

TYPES = {
    "decimal": "decimal(38, 12)",
    "price": "decimal(38, 12)",
    "moment": "timestamptz",
}
EVERYWHERE = {
    "BillingAccountId": "'org-1'", "BillingAccountName": "'Northwind'",
    "BillingAccountType": "'Organization'", "BillingCurrency": "'USD'",
    "BillingPeriodStart": "'2026-05-01T00:00:00Z'", "BillingPeriodEnd": "'2026-06-01T00:00:00Z'",
    "ChargePeriodStart": "'2026-05-03T00:00:00Z'", "ChargePeriodEnd": "'2026-05-04T00:00:00Z'",
    "HostProviderName": "'Host'", "InvoiceIssuerName": "'Issuer'", "PricingCurrency": "'USD'",
    "ProviderName": "'Provider'", "PublisherName": "'Publisher'",
    "ServiceProviderName": "'Provider'", "ServiceCategory": "'Compute'",
    "ServiceName": "'Machines'", "ServiceSubcategory": "'Virtual Machines'",
}  # fmt: skip
PRICED = {
    "ListUnitPrice": "2", "ContractedUnitPrice": "1.5", "PricingQuantity": "10",
    "PricingUnit": "'Hours'", "PricingCategory": "'Standard'", "ListCost": "20",
    "ContractedCost": "15", "BilledCost": "15", "EffectiveCost": "15",
    "PricingCurrencyListUnitPrice": "2", "PricingCurrencyContractedUnitPrice": "1.5",
    "PricingCurrencyEffectiveCost": "15", "SkuId": "'machine'", "SkuMeter": "'hours'",
    "SkuPriceId": "'machine/1'", "SkuPriceDetails": """'{"CoreCount":4,"x_Size":"big"}'""",
}  # fmt: skip
UNPRICED = {
    name: "-3" for name in (
        "BilledCost", "EffectiveCost", "ListCost", "ContractedCost", "PricingCurrencyEffectiveCost"
    )
}  # fmt: skip
USED = {"ConsumedQuantity": "10", "ConsumedUnit": "'Hours'"}
COMMITTED = {
    "CommitmentDiscountId": "'c-1'", "CommitmentDiscountName": "'Plan'",
    "CommitmentDiscountCategory": "'Usage'", "CommitmentDiscountType": "'Plan'",
    "CommitmentDiscountQuantity": "10", "CommitmentDiscountUnit": "'Hours'",
}  # fmt: skip
ROWS = {
    "use": {
        **PRICED, **USED, "ChargeCategory": "'Usage'", "ChargeFrequency": "'Usage-Based'",
        "InvoiceId": "'inv-1'", "InvoiceDetailId": "'inv-1/1'", "ResourceId": "'r-1'",
        "ResourceName": "'First'", "ResourceType": "'Machine'", "RegionId": "'eu-1'",
        "RegionName": "'Europe'", "AvailabilityZone": "'eu-1a'", "SubAccountId": "'s-1'",
        "SubAccountName": "'Sales'", "SubAccountType": "'Project'", "Tags": """'{"team":"a"}'""",
        "CapacityReservationId": "'cap-1'", "CapacityReservationStatus": "'Used'",
    },
    "committed": {
        **PRICED, **USED, **COMMITTED, "ChargeCategory": "'Usage'",
        "ChargeFrequency": "'Usage-Based'", "CommitmentDiscountStatus": "'Used'",
        "PricingCategory": "'Committed'",
    },
    "purchase": {
        **PRICED, "ChargeCategory": "'Purchase'", "ChargeFrequency": "'Recurring'",
        "SkuId": "'plan'", "SkuMeter": "'plans'", "SkuPriceId": "'plan/1'",
        "SkuPriceDetails": "null",
    },
    "paid back": {
        **PRICED, "ConsumedQuantity": "-2", "ConsumedUnit": "'Hours'",
        "ChargeCategory": "'Usage'", "ChargeFrequency": "'Usage-Based'", "PricingQuantity": "-2",
        "ListCost": "-4", "ContractedCost": "-3", "BilledCost": "-3", "EffectiveCost": "-3",
        "PricingCurrencyEffectiveCost": "-3",
    },
    "credit": {**UNPRICED, "ChargeCategory": "'Credit'", "ChargeFrequency": "'One-Time'"},
    "tax": {**UNPRICED, "ChargeCategory": "'Tax'", "ChargeFrequency": "'One-Time'"},
    "correction": {
        **UNPRICED, "ChargeCategory": "'Usage'", "ChargeClass": "'Correction'",
        "ChargeFrequency": "'Usage-Based'", "ChargePeriodStart": "'2026-04-03T00:00:00Z'",
        "ChargePeriodEnd": "'2026-04-04T00:00:00Z'",
    },
}  # fmt: skip


def make(version: str, change: str = "") -> duckdb.DuckDBPyConnection:
    """The table `charges` of this version's columns, after the SQL that changes it."""
    opened = duckdb.connect(config={"threads": 1})
    opened.execute("set TimeZone = 'UTC'")
    columns = columns_of(version)
    declared = ", ".join(f"{column.name} {TYPES.get(column.kind, 'varchar')}" for column in columns)
    opened.execute(f"create table charges ({declared}, x_Row varchar)")
    for name, values in ROWS.items():
        row = {**EVERYWHERE, **values, "ChargeDescription": f"'The {name}'"}
        cells = ", ".join(row.get(column.name, "null") for column in columns)
        opened.execute(f"insert into charges values ({cells}, '{name}')")
    if change:
        opened.execute(change)
    return opened


def write(file: Path, version: str, change: str = "") -> Path:
    """That table as a file, Parquet or CSV by its name."""
    with make(version, change) as opened:
        if file.suffix == ".parquet":
            opened.execute(f"copy charges to '{file}' (format parquet)")
            return file
        kinds = {column.name: column.kind for column in columns_of(version)}
        cells = ", ".join(
            f"strftime({name}, '%Y-%m-%dT%H:%M:%SZ') as {name}"
            if kinds.get(name) == "moment"
            else name
            for name, *_ in opened.execute("describe charges").fetchall()
        )
        opened.execute(f"copy (select {cells} from charges) to '{file}' (format csv, header)")
    return file
