"""The report: one self-contained page, or one of its charts as a picture."""

from enum import StrEnum


class ChartName(StrEnum):
    """Every chart of the report, in its order."""

    ACTIVE_PEOPLE = "active-people"
    STICKINESS = "stickiness"
    PRODUCTS = "products"
    GROWTH = "growth"
    RETENTION = "retention"
    ACTIVE_DAYS = "active-days"
    TEAMS = "teams"
    ASSISTANTS = "assistants"
    SEAT_UTILIZATION = "seat-utilization"
    SEAT_STATUS = "seat-status"
    BILL = "bill"
    CHARGEBACK = "chargeback"
    SPEND = "spend"
    FORECAST = "forecast"
    CONNECTORS = "connectors"
    SKILLS = "skills"
    PLUGINS = "plugins"
    PROJECTS = "projects"
    COVERAGE = "coverage"


class SectionName(StrEnum):
    """The report's sections, one per reader, in its order."""

    EXECUTIVE = "executive"
    ADOPTION = "adoption"
    MONEY = "money"
    SEATS = "seats"
    SECURITY = "security"
    DATA = "data"
