"""The sources of a run, in the order in which it reads them. The one list of them."""

from sources.claude_admin.source import SOURCE as CLAUDE_ADMIN
from sources.claude_analytics.source import SOURCE as CLAUDE_ANALYTICS
from sources.claude_compliance.source import SOURCE as CLAUDE_COMPLIANCE
from sources.contract import Source, Table
from sources.langdock.source import SOURCE as LANGDOCK
from sources.reference_files.source import SOURCE as REFERENCE_FILES

SOURCES: tuple[Source, ...] = (
    CLAUDE_ANALYTICS,
    REFERENCE_FILES,
    # Its events say who has left, before the roster has it.
    CLAUDE_COMPLIANCE,
    CLAUDE_ADMIN,
    LANGDOCK,
)

TABLES: tuple[Table, ...] = tuple(table for source in SOURCES for table in source.tables)
"""Every raw table that they fill; where two endpoints fill one, it stands there twice."""
