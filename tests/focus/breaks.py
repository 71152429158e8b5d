"""What is done to a good file on purpose, and the rule that has to see it."""

IN_ROWS = {
    # Values of one column.
    "BilledCost is never null": "BilledCost = null",
    "BillingAccountId is never null": "BillingAccountId = null",
    "BillingCurrency is never null": "BillingCurrency = null",
    "BillingPeriodStart is never null": "BillingPeriodStart = null",
    "BillingPeriodEnd is never null": "BillingPeriodEnd = null",
    "ChargePeriodStart is never null": "ChargePeriodStart = null",
    "ChargePeriodEnd is never null": "ChargePeriodEnd = null",
    "ChargeCategory is never null": "ChargeCategory = null",
    "ChargeFrequency is never null": "ChargeFrequency = null",
    "ListCost is never null": "ListCost = null",
    "ContractedCost is never null": "ContractedCost = null",
    "EffectiveCost is never null": "EffectiveCost = null",
    "InvoiceIssuerName is never null": "InvoiceIssuerName = null",
    "ServiceCategory is never null": "ServiceCategory = null",
    "ServiceName is never null": "ServiceName = null",
    "ServiceProviderName is never null": "ServiceProviderName = null",
    "ServiceSubcategory is never null": "ServiceSubcategory = null",
    "PricingCurrency is never null": "PricingCurrency = null",
    "PricingCurrencyEffectiveCost is never null": "PricingCurrencyEffectiveCost = null",
    "ChargeCategory is one of": "ChargeCategory = 'Rebate'",
    "ChargeClass is one of": "ChargeClass = 'Corrected'",
    "ChargeFrequency is one of": "ChargeFrequency = 'Daily'",
    "PricingCategory is one of": "PricingCategory = 'standard'",
    "ServiceCategory is one of": "ServiceCategory = 'AI'",
    "CapacityReservationStatus is one of": "CapacityReservationStatus = 'Idle'",
    "ListUnitPrice is never negative": "ListUnitPrice = -2, PricingQuantity = -10",
    "ContractedUnitPrice is never negative": "ContractedUnitPrice = -1.5, PricingQuantity = -10",
    "BillingCurrency is a currency's code": "BillingCurrency = 'US Dollar'",
    "PricingCurrency is a currency's code": "PricingCurrency = 'Tokens'",
    "SubAccountId has no word that stands for nothing": "SubAccountId = 'Unmapped'",
    "BillingAccountId has no word that stands for nothing": "BillingAccountId = ''",
    "RegionName has no word that stands for nothing": "RegionName = 'N/A'",
    "PricingUnit writes the specification's units as it does": "PricingUnit = 'hours'",
    "ConsumedUnit writes the specification's units as it does": "ConsumedUnit = 'GB-hours'",
    "ConsumedUnit has the form of a unit": "ConsumedUnit = 'days per foo'",
    "Tags is JSON": "Tags = 'team=a'",
    "Tags names each key once": """Tags = '{"a":1,"a":2}'""",
    "Tags has no value within a value": """Tags = '{"a":{"b":1}}'""",
    "SkuPriceDetails begins keys of its own with x_": """SkuPriceDetails = '{"Size":"big"}'""",
    "SkuPriceDetails writes keys in PascalCase": """SkuPriceDetails = '{"x_size":"big"}'""",
    # Columns beside each other.
    "a billing period ends after it begins": "BillingPeriodEnd = BillingPeriodStart",
    "a charge period ends after it begins": "ChargePeriodEnd = ChargePeriodStart",
    "a correction is of an earlier billing period": "ChargeClass = 'Correction'",
    "use of an earlier billing period is a correction": (
        "ChargePeriodStart = '2026-04-03T00:00:00Z', ChargePeriodEnd = '2026-04-04T00:00:00Z'"
    ),
    "use is not billed before it happens": (
        "ChargePeriodStart = '2026-07-03T00:00:00Z', ChargePeriodEnd = '2026-07-04T00:00:00Z'"
    ),
    "use ends in its billing period": "ChargePeriodEnd = '2026-06-02T00:00:00Z'",
    "billing periods that begin together end together": "BillingPeriodEnd = '2026-07-01T00:00:00Z'",
    "ListUnitPrice is there for use": "ListUnitPrice = null",
    "ContractedUnitPrice is there for use": "ContractedUnitPrice = null",
    "PricingQuantity is there for use": "PricingQuantity = null",
    "PricingCategory is there for use": "PricingCategory = null",
    "SkuId is there for use": "SkuId = null",
    "SkuPriceId is there for use": "SkuPriceId = null",
    "PricingCurrencyListUnitPrice is there for use": "PricingCurrencyListUnitPrice = null",
    "a quantity has a unit": "PricingUnit = null",
    "a unit has a quantity": "PricingQuantity = null",
    "what is consumed has a unit": "ConsumedUnit = null",
    "a consumed unit has a quantity": "ConsumedQuantity = null",
    "use consumes unless it corrects": "ConsumedQuantity = null, ConsumedUnit = null",
    "list cost is list unit price times quantity": "ListCost = 20.01",
    "contracted cost is contracted unit price times quantity": "ContractedCost = 14.99",
    "a meter is of a sku": "SkuId = null",
    "price details are of a sku price": "SkuPriceId = null",
    "a sku price is of a sku": "SkuId = null",
    "a sku price has prices": "ListUnitPrice = null",
    "a sku price is of one sku": "SkuId = 'another'",
    "a sku price leads to one list price": "ListUnitPrice = 4, PricingQuantity = 5",
    "a sku price is of one unit": "PricingUnit = 'Days'",
    "a sku price has the same details everywhere": """SkuPriceDetails = '{"x_Size":"small"}'""",
    "a sku has one meter": "SkuMeter = 'minutes'",
    "a service is of one category": (
        "ServiceCategory = 'Storage', ServiceSubcategory = 'Block Storage'"
    ),
    "a subcategory is of its category": "ServiceSubcategory = 'Generative AI'",
    "a subcategory is one that there is": "ServiceSubcategory = 'Machines'",
    "a sub account has a name": "SubAccountName = null",
    "the name of a sub account has an id": "SubAccountId = null",
    "a sub account has a type": "SubAccountType = null",
    "the type of a sub account has an id": "SubAccountId = null",
    "a billing account has a type": "BillingAccountType = null",
    "the type of a billing account has an id": "BillingAccountId = null",
    "a billing account has one name in a billing period": "BillingAccountName = 'Southwind'",
    "a resource has a type": "ResourceType = null",
    "the type of a resource has an id": "ResourceId = null",
    "the name of a resource has an id": "ResourceId = null",
    "the name of a resource is not its id again": "ResourceName = ResourceId",
    "a region has a name": "RegionName = null",
    "the name of a region has an id": "RegionId = null",
    "a zone is in a region": "RegionId = null, RegionName = null",
    "the status of a reservation has an id": "CapacityReservationId = null",
    "use of a reservation has a status": "CapacityReservationStatus = null",
    "a line of an invoice has an invoice": "InvoiceId = null",
    "a charge of an invoice is on a line of it": "InvoiceDetailId = null",
    "in one currency the list price is the same": "PricingCurrencyListUnitPrice = 3",
    "in one currency the contracted price is the same": "PricingCurrencyContractedUnitPrice = 3",
    "in one currency the effective cost is the same": "PricingCurrencyEffectiveCost = 3",
    "what was split says by which method": "AllocatedResourceId = 'part'",
    "the name of a part has an id": "AllocatedResourceName = 'Part'",
}
"""Rule -> what is set in the row of ordinary use."""

IN_OTHER_ROWS = {
    "a purchase is not usage based": ("purchase", "ChargeFrequency = 'Usage-Based'"),
    "only use consumes": ("purchase", "ConsumedQuantity = 1, ConsumedUnit = 'Hours'"),
    "what is left of a commitment consumes nothing":
        ("committed", "CommitmentDiscountStatus = 'Unused'"),
    "a credit without a price lists what it bills": ("credit", "ListCost = 0"),
    "a credit without a price contracts what it bills": ("credit", "ContractedCost = 0"),
    "a credit is worth what it bills": ("credit", "EffectiveCost = 0"),
    "SkuPriceId is null for taxes": ("tax", "SkuPriceId = 'tax', SkuId = 'tax'"),
    "PricingQuantity is null for taxes": ("tax", "PricingQuantity = 1, PricingUnit = 'Hours'"),
    "CommitmentDiscountCategory is one of": ("committed", "CommitmentDiscountCategory = 'Cost'"),
    "CommitmentDiscountStatus is one of": ("committed", "CommitmentDiscountStatus = 'Half'"),
    "the category of a commitment has an id": ("committed", "CommitmentDiscountId = null"),
    "a commitment has a category": ("committed", "CommitmentDiscountCategory = null"),
    "the name of a commitment has an id": ("committed", "CommitmentDiscountId = null"),
    "the type of a commitment has an id": ("committed", "CommitmentDiscountId = null"),
    "a commitment has a type": ("committed", "CommitmentDiscountType = null"),
    "the status of a commitment has an id": ("committed", "CommitmentDiscountId = null"),
    "use of a commitment has a status": ("committed", "CommitmentDiscountStatus = null"),
    "a quantity of a commitment has a unit": ("committed", "CommitmentDiscountUnit = null"),
    "a unit of a commitment has a quantity": ("committed", "CommitmentDiscountQuantity = null"),
    "a quantity of a commitment is of one": ("committed", "CommitmentDiscountId = null"),
    "committed prices are of a commitment": ("use", "PricingCategory = 'Committed'"),
    "prices are of a sku price": ("correction", "ListUnitPrice = 2"),
    "a commitment is measured in one unit": (
        "paid back",
        "CommitmentDiscountId = 'c-1', CommitmentDiscountUnit = 'Days'",
    ),
    "an invoice is in one currency": (
        "committed",
        "InvoiceId = 'inv-1', InvoiceDetailId = 'inv-1/1', BillingCurrency = 'EUR'",
    ),
    "an invoice is of one billing account": (
        "committed",
        "InvoiceId = 'inv-1', InvoiceDetailId = 'inv-1/1', BillingAccountId = 'org-2'",
    ),
}  # fmt: skip
"""Rule -> the row, and what is set in it."""

IN_THE_FILE = {
    "BilledCost is there": "alter table charges drop BilledCost",
    "ChargeClass is there": "alter table charges drop ChargeClass",
    "HostProviderName is there": "alter table charges drop HostProviderName",
    "a column that the version does not name begins with x_":
        "alter table charges rename x_Row to Row",
    "a column of one's own is in PascalCase after x_":
        "alter table charges rename x_Row to x_row_name",
    "columns stand in the order of the alphabet, one's own last":
        "alter table charges drop BilledCost; alter table charges add BilledCost decimal(38, 12);"
        "update charges set BilledCost = EffectiveCost",
    "no charge stands there twice": "insert into charges from charges where x_Row = 'use'",
    "BilledCost is a decimal":
        "alter table charges alter BilledCost type boolean using BilledCost > 0",
    "BilledCost is an exact decimal": "alter table charges alter BilledCost type double",
    "BilledCost is a finite number":
        "alter table charges alter BilledCost type double; update charges set BilledCost = 'nan'",
    "ListCost is a decimal": "alter table charges alter ListCost type int[] using [1]",
    "ChargePeriodStart is a moment in UTC, and says so":
        "alter table charges alter ChargePeriodStart type timestamp",
    "Tags is text": "alter table charges alter Tags type struct(team varchar)"
        " using case when Tags is not null then {'team': 'a'} end",
}  # fmt: skip
"""Rule -> SQL that changes the whole Parquet file."""

IN_THE_TEXT = {
    "BilledCost is a plain number": (",15.000000000000,", ',"15,00",'),
    "ListCost is a plain number": ("20.000000000000", "+20"),
    "ListUnitPrice is a plain number": (",2.000000000000,", ",USD 2,"),
    "ChargePeriodStart is written as": ("2026-05-03T00:00:00Z", "2026-05-03 00:00:00"),
    "ChargePeriodEnd is written as": ("2026-05-04T00:00:00Z", "2026-05-04T02:00:00+02:00"),
    "BillingPeriodEnd is written as": ("2026-06-01T00:00:00Z", "2026-06-01"),
    "a column stands in the file once": ("x_Row", "BilledCost"),
}
"""Rule -> what is written otherwise in the CSV file, everywhere."""
