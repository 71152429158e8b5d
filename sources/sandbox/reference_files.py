"""The files that people of the invented organisation typed."""

import csv
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

BUDGETS = """\
cost_center,usd_per_month,valid_from
00420,6000,2026-01-01
00777,4600,2026-01-01
1E5,5000,2026-01-01
CC-300,4500,2026-01-01
"""
HOLIDAYS = """\
holiday_date,name
2026-01-01,New Year
2026-04-03,Good Friday
2026-04-06,Easter Monday
2026-05-01,Labour Day
2026-05-14,Ascension Day
2026-05-25,Whit Monday
"""
APPROVED_SKILLS = """\
name,approval,owner,reviewed_at
pdf,approved,IT,2026-02-11
xlsx,approved,IT,2026-02-11
docx,approved,IT,2026-02-11
pptx,approved,IT,2026-02-11
brand-guidelines,approved,Marketing,2026-03-02
Quarter close checklist*,approved,Finance,2026-03-20
"""
APPROVED_PLUGINS = """\
name,approval,owner,reviewed_at
code-review,approved,IT,2026-02-11
release-tools,approved,IT,2026-02-11
finance-pack,approved,Finance,2026-03-20
"""
APPROVED_CONNECTORS = """\
name,approval,owner,reviewed_at
github,approved,IT,2026-03-02
atlassian,approved,IT,2026-03-02
google-drive,approved,IT,2026-03-02
mcpsrv_*,banned,Security,2026-04-20
"""
TYPED = {
    "approved_connectors": APPROVED_CONNECTORS,
    "approved_skills": APPROVED_SKILLS,
    "approved_plugins": APPROVED_PLUGINS,
    "budgets": BUDGETS,
    "holidays": HOLIDAYS,
}
EXPORTED = ("org_chart", "seat_prices")
"""Those that follow the invented people and their seats."""
FILES = {name: f"{name}.csv" for name in (*EXPORTED, *TYPED)}
"""Reference file -> its name in a folder."""


def write(folder: Path, truth: Callable[[str], list[dict[str, Any]]]) -> Mapping[str, str]:
    """Write each into the folder; its path by reference file."""
    for name in EXPORTED:
        rows = truth(name)
        with (folder / FILES[name]).open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, fieldnames=list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    for name, text in TYPED.items():
        (folder / FILES[name]).write_text(text)
    return {name: str(folder / file) for name, file in FILES.items()}
