"""Takes the README's pictures of the demo's report: `python -m tests.screenshots`."""

import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

FOLDER = Path(__file__).parent.parent / "docs" / "screenshots"
MOST_BYTES = 150_000
WIDTHS = {"desktop-light.png": 1200, "desktop-dark.png": 1200, "phone-light.png": 390}
HEIGHT = 780


def main(report: Path) -> None:
    """Open the report in the system's Chromium and write each picture."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if not chromium:
        sys.exit("There is no Chromium on this machine. Run: apt-get install chromium")
    if not report.is_file():
        sys.exit(f"There is no report {report}. Run: make demo")
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox"] if os.geteuid() == 0 else []
        )
        for name, width in WIDTHS.items():
            page = browser.new_page(
                viewport={"width": width, "height": HEIGHT},
                color_scheme="dark" if "dark" in name else "light",
            )
            page.goto(report.absolute().as_uri())
            page.wait_for_function("!document.querySelector('[data-chart]:not([data-drawn])')")
            page.screenshot(path=FOLDER / name)
            size = (FOLDER / name).stat().st_size
            print(f"{FOLDER / name}: {size / 1000:.0f} kB")
            if size > MOST_BYTES:
                sys.exit(f"{name} is larger than {MOST_BYTES / 1000:.0f} kB.")
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "data/demo/report.html"))
