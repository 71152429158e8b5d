"""Begins a folder to run in: settings, secrets, and a template of each reference file."""

import csv
import io
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipelines.people.identity import new_key
from pipelines.project import here
from pipelines.settings import CONFIG, FOLDER, SECRETS, found
from sources.errors import ForeseenError
from sources.reference_files.files import FILES, ReferenceFile

REFERENCE = "reference"
"""The folder of the templates, beside the one of the settings."""
KEY = (("sources", "claude_analytics"), "api_key")
PRIVATE, SHARED = 0o600, 0o644
SHIPPED = (Path(__file__).with_name("templates"), Path(__file__).parents[1] / FOLDER)
"""Where the settings' files are: in an installed package, and in the tree that it is made from."""

GITIGNORE = f"""\
{FOLDER}/{SECRETS}
data/
"""


@dataclass(frozen=True)
class Written:
    """A file that was written, or was there and was left as it is."""

    path: Path
    is_new: bool


def is_key_known() -> bool:
    """Whether a key is set, in the environment or in a file of settings."""
    return found(KEY) is not None


def secrets_exist() -> bool:
    return (here() / FOLDER / SECRETS).exists()


def init(api_key: str = "") -> Iterator[Written]:
    """Write what is not there yet; nothing that is there is changed.

    Raises:
        ForeseenError: A file cannot be written.
    """
    folder = here()
    texts: Mapping[str, tuple[str, int]] = {
        f"{FOLDER}/{CONFIG}": (_config(), SHARED),
        f"{FOLDER}/{SECRETS}": (_secrets(api_key), PRIVATE),
        ".gitignore": (GITIGNORE, SHARED),
        **{f"{REFERENCE}/{file.table}.csv": (template(file), SHARED) for file in FILES},
    }
    for name, (text, mode) in texts.items():
        path = folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            yield Written(path, _is_written(path, text, mode))
        except OSError as error:
            raise ForeseenError(
                f"{path} could not be written: {error.strerror}.\n"
                "A run looks for its settings in the folder where it is started.\n"
                "Change into a folder of your own, then run: claude-warehouse init"
            ) from error


def template(file: ReferenceFile) -> str:
    """The file with its line of names and the example."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([list(file.columns), file.example])
    return text.getvalue()


def _is_written(path: Path, text: str, mode: int) -> bool:
    """Whether the file was not there before, not even as a link that leads nowhere."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError:
        return False
    with os.fdopen(handle, "w", encoding="utf-8") as opened:
        opened.write(text)
    return True


def _config() -> str:
    """Every setting as a comment, so that its default counts; only the templates are named."""
    text = "# Take the # away from a line to set it.\n" + _shipped(CONFIG)
    text = re.sub(r"(?m)^(?=\w+ = )", "# ", text)
    for file in FILES:
        text = re.sub(
            rf'(?m)^# {file.table} = "[^"]*"( +# path;)',
            f'{file.table} = "{REFERENCE}/{file.table}.csv"\\1',
            text,
        )
    return text


def _secrets(api_key: str) -> str:
    text = _shipped(f"{SECRETS}.example").split("\n\n", 1)[1]
    text = text.replace('identity_key = ""', f'identity_key = "{new_key()}"', 1)
    if api_key:
        # A text of JSON is one of TOML.
        text = text.replace('api_key = ""', f"api_key = {json.dumps(api_key)}", 1)
    return (
        "# Only you may read this file (0600). All but the first are optional; "
        f"environment variables win.\n\n{text}"
    )


def _shipped(name: str) -> str:
    for folder in SHIPPED:
        if (folder / name).is_file():
            return (folder / name).read_text(encoding="utf-8")
    raise ForeseenError(
        f"A part of the installation is missing: {name}, from which the settings are made.\n"
        "Nothing was written.\n"
        "Install claude-warehouse again."
    )
