"""Where commands print what they say."""

from typing import Any

from rich.console import Console

from pipelines.cli import lines


class Screen(Console):
    """A screen, or lines of JSON where a run is to say what it does that way."""

    def print(self, *texts: Any, **options: Any) -> None:
        if not lines.are_used():
            super().print(*texts, **options)
            return
        said = " ".join(map(str, texts))
        if said.strip():
            lines.write(lines.LEVELS.get(str(options.get("style")), "info"), said)


out = Screen(highlight=False, soft_wrap=True)
err = Screen(stderr=True, highlight=False, soft_wrap=True)
if not out.is_terminal:
    out.width = 160  # Tables in a file or a mail are not cut.
