"""The report: one self-contained page, or one of its charts as a picture."""

from enum import StrEnum


class ChartName(StrEnum):
    """Every chart of the report, in its order."""

    ACTIVE_PEOPLE = "active-people"
    STICKINESS = "stickiness"
    PRODUCTS = "products"
    GROWTH = "growth"
    TEAMS = "teams"
    SEAT_UTILIZATION = "seat-utilization"
    SEAT_STATUS = "seat-status"
    BILL = "bill"
    CHARGEBACK = "chargeback"
    CONNECTORS = "connectors"
    SKILLS = "skills"
    PLUGINS = "plugins"
    PROJECTS = "projects"
    COVERAGE = "coverage"
