"""What files can be written as; of each, the first is the default. The command line names them, so
that nothing of what writes them is imported here."""

from enum import StrEnum

CHARGEBACK = ("csv", "xlsx")
FOCUS = ("parquet", "csv", "xlsx")
TABLES = {"parquet": "ParquetFiles", "delta": "DeltaTables", "iceberg": "IcebergTables"}
"""A format, which is a module of pipelines/files/tables -> its class there. What writes some is an
extra."""


class EvidenceFormat(StrEnum):
    """How a row of evidence is written."""

    CSV = "csv"
    JSONL = "jsonl"
