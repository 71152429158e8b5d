"""Two commits beside each other, each in a folder of its own."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
LOCKED = "requirements.txt"
LIBRARIES = REPOSITORY / ".venv-compare"
"""What other commits are locked to and this one is not, a folder for each lock."""


@dataclass(frozen=True)
class Lane:
    """A checkout that runs the commands of a story in a folder of its own."""

    checkout: Path
    folder: Path
    libraries: Path | None = None

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def served(self) -> Path:
        return self.data / "serving.duckdb"

    @property
    def out(self) -> Path:
        return self.folder / "out"

    def make(self) -> None:
        # Where the commands run: without the settings of a checkout, or of this machine.
        for folder in (self.data, self.out, self.folder / "empty"):
            folder.mkdir(parents=True)

    def start(
        self, words: str, environment: Mapping[str, str], through: Sequence[str] = ()
    ) -> subprocess.Popen[str]:
        """The command with these words; `{out}` in them is a folder for files."""
        project = tomllib.loads((self.checkout / "pyproject.toml").read_text())["project"]
        module, _, function = project["scripts"]["claude-warehouse"].partition(":")
        program = f"from {module} import {function} as main; main()"
        return self.run(["-c", program, *words.format(out=self.out).split()], environment, through)

    def run(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        through: Sequence[str] = (),
    ) -> subprocess.Popen[str]:
        """Python with these arguments, and the modules of the checkout; started by the program
        `through`, if one is given."""
        return subprocess.Popen(
            [*through, sys.executable, *arguments],
            cwd=self.folder / "empty",
            env={
                **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
                "PYTHONPATH": os.pathsep.join(
                    str(folder) for folder in (self.checkout, self.libraries) if folder
                ),
                "LANG": "C.UTF-8",
                "PIPELINE__DATA_DIR": str(self.data),
                **environment,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


@contextmanager
def checked_out(commit: str, folder: Path) -> Iterator[Path]:
    """The commit's files beside these, for a time."""
    git = ["git", "-C", str(REPOSITORY), "worktree"]
    subprocess.run([*git, "add", "--quiet", "--detach", str(folder), commit], check=True)
    try:
        yield folder
    finally:
        subprocess.run([*git, "remove", "--force", str(folder)], check=True)


def libraries_of(checkout: Path) -> Path | None:
    """The libraries that the checkout is locked to in another version than ours, or alone; they
    are installed once and kept."""
    ours = {*_locked(REPOSITORY)}
    others = [each for each in _locked(checkout) if each not in ours]
    if not others:
        return None
    lock = "\n".join(others)
    folder = LIBRARIES / hashlib.sha256(lock.encode()).hexdigest()[:12]
    installed = folder / ".installed"
    if not installed.exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / LOCKED).write_text(lock)
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        options = ["--require-hashes", "--no-deps", f"--target={folder}"]
        subprocess.run([*pip, *options, f"--requirement={folder / LOCKED}"], check=True)
        installed.touch()
    return folder


def _locked(checkout: Path) -> list[str]:
    """What a lock says of each library: its version, and the hashes of its files."""
    # Extras name other libraries, which stand there too.
    text = re.sub(r"\[.*\]==", "==", (checkout / LOCKED).read_text())
    return re.findall(r"^\w.*(?:\n .*)*", text, re.MULTILINE)
