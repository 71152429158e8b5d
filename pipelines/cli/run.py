"""A run of a command: what holds the warehouse for it, and what is told of how it ended."""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Never, Self

from pipelines import hints, stopping, surroundings, telemetry, webhook
from pipelines.cli import lines
from pipelines.cli.progress import Terminal, tell
from pipelines.cli.told import err, out
from pipelines.data_dir import DataDir, WarehouseHeld
from pipelines.exit_codes import DONE, FAILED, HELD, REJECTED, meaning
from pipelines.finished_loads import clear_finished
from pipelines.foreseen import foreseen
from pipelines.project import here
from pipelines.raw_tables import warehouse_pipeline
from pipelines.reading import check as check_run
from pipelines.reading import wording
from pipelines.reading.status import remember
from pipelines.reading.summary import run_text
from pipelines.reading.summary import summary as summary_text
from pipelines.run import Listener, RunResult, write_report
from pipelines.run_record import STOPPED, RunRecord
from pipelines.runs import store_runs
from pipelines.settings import (
    LoggingSettings,
    NotifySettings,
    TelemetrySettings,
    require_settings,
    settings,
    settings_files,
    settings_variables,
)
from pipelines.warehouse import held, warehouse_of
from sources.errors import ForeseenError
from sources.session import Clock


class Run:
    """A run that holds the warehouse. However it ends, it is recorded and the chat is told."""

    def __init__(
        self,
        data: DataDir,
        command: str,
        clock: Clock,
        *,
        tells_chat: bool = False,
        holds: bool = True,
    ) -> None:
        self._data, self._command, self._holds = data, command, holds
        self._tells_chat, self._notify_settings = tells_chat, NotifySettings()
        self._record, self._clock = RunRecord(data, command, clock), clock
        self._stages: list[tuple[str, int]] = []
        self._stack = ExitStack()
        self._is_recorded = False
        self.exit_code = FAILED
        self.listener = Listener()

    def __enter__(self) -> Self:
        stopping.say(stopping.RUN_GOES_ON)
        stopping.last_words(self._stopped)
        try:
            with suppress(ForeseenError):  # The run is refused for it, with all that is wrong.
                if settings(LoggingSettings).format == "json":
                    lines.use(self._record.id, self._command)
            if self._tells_chat:
                with suppress(ForeseenError):
                    self._notify_settings = settings(NotifySettings)
                require_settings()
            if self._holds:
                self._stack.enter_context(held(self._data, self._command))
                warehouse_of(self._data).check()
                remember(self._data)
                self._begin()
            err.print(used(self._data), markup=False)
            listener = self._stack.enter_context(Terminal())
        except Exception as error:
            self._let_go()
            self._failed(error)
        self.listener = replace(
            listener,
            on_stage=partial(self._stage, listener.on_stage),
            on_loaded=self._record.loaded,
            run_id=self._record.id,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: object
    ) -> None:
        if error is None:
            self._stack.close()
            stopping.forget(self._stopped)
            return
        self._let_go()
        if isinstance(error, Exception) and stopping.exit_code() is None:
            self._failed(error)

    def _let_go(self) -> None:
        """After a failure, the message of which says more than one of this."""
        with suppress(ForeseenError):
            self._stack.close()

    def finish(self, result: RunResult, report: Path | None, *, before: str = "") -> None:
        """Record how the run went, write the report of it, and tell both screen and chat."""
        self._end(result)
        if report and result.publish:
            write_report(self._data, result, report, self.listener)
            self._end(result)
        if self._holds:
            with suppress(Exception):  # What it did is done; the next run puts the rest away.
                pipeline = warehouse_pipeline(self._data)
                store_runs(pipeline, self._data, self._record.id)
                clear_finished(pipeline)
        self._stack.close()
        if before:
            out.print(before, markup=False)
        tell(self._data, result, self._record.seconds)
        doubts = [doubt.text for doubt in result.doubts or ()]
        if lines.are_used():
            lines.write("info", meaning(self.exit_code), run=self._record.facts)
        problems = [
            self._notify(self.exit_code, result.problems, doubts),
            self._beat(result),
            self._measure(),
        ]
        for problem in filter(None, problems):
            result.problems.append(problem)
            self._record.end(self.exit_code, result.problems, result)
            err.print(hints.pasted(problem), style="yellow", markup=False)

    def _stage(self, told: Callable[[str], None], stage: str) -> None:
        if not self._is_recorded:
            self._begin()
        self._stages.append((stage, time.time_ns()))
        told(stage)

    def _begin(self) -> None:
        self._record.begin()
        self._is_recorded = True

    def _end(self, result: RunResult) -> None:
        self.exit_code = exit_code(result)
        self._record.end(self.exit_code, result.problems, result)

    def _failed(self, error: Exception) -> Never:
        told = foreseen(error, self._data.root)
        code = HELD if isinstance(told, WarehouseHeld) else FAILED
        problems = [str(told)]
        if problem := self._notify(code, problems):
            err.print(hints.pasted(problem), style="yellow", markup=False)
            problems.append(problem)
        if self._is_recorded:
            with suppress(OSError):  # The message says why already.
                self._record.end(code, problems)
            with suppress(Exception):
                self._measure()
        stopping.forget(self._stopped)
        raise told from error

    def _stopped(self, code: int) -> None:
        if self._is_recorded:
            self._record.end(code, [STOPPED])
        notify = self._notify_settings
        if notify.webhook_url:
            text = run_text(self._command, code, [], None)
            webhook.post_once(notify.webhook_url, text, notify.webhook_form)

    def _measure(self) -> str | None:
        """Send the run to a collector, if there is one; returns why that failed."""
        endpoint = settings(TelemetrySettings).endpoint or surroundings.collector()
        if not endpoint or not self._stages:
            return None
        ends = [*(began for _, began in self._stages[1:]), time.time_ns()]
        stages = [
            telemetry.Stage(name, began, ended)
            for (name, began), ended in zip(self._stages, ends, strict=True)
        ]
        state = int(check_run.check(self._data, self._clock).state)
        return telemetry.send(endpoint, self._data, self._record.facts, stages, state=state)

    def _beat(self, result: RunResult) -> str | None:
        """Tell a dead man's switch that readers have a new night; returns why that failed."""
        url = self._notify_settings.heartbeat_url
        is_good = self.exit_code in (DONE, REJECTED) and result.publish is not None
        return webhook.beat(url) if url and is_good else None

    def _notify(self, code: int, problems: Sequence[str], doubts: Sequence[str] = ()) -> str | None:
        """Tell the chat how the run went; returns why that failed, which fails no run."""
        notify = self._notify_settings
        if not notify.webhook_url:
            return None
        try:
            with warehouse_of(self._data).serve() as served:
                text = summary_text(served, last_run=None)
        except Exception:
            text = None  # Nothing was ever published, or it cannot be read.
        told = run_text(self._command, code, problems, text, doubts)
        return webhook.post(notify.webhook_url, hints.pasted(told), notify.webhook_form)


def used(data: DataDir) -> str:
    """Whose settings and which folder a run uses, in a line."""
    files = ", ".join(settings_files()) or "none in .dlt"
    variables = wording.plural(len(settings_variables()), "variable")
    return f"Project {here()} (settings: {files}; {variables}), data folder {data.root}"


def exit_code(result: RunResult) -> int:
    if result.problems:
        return FAILED
    is_kept_apart = any(
        doubt.state == "open" and doubt.doubt.outcome != "said" for doubt in result.doubts or ()
    )
    is_rejected = any(each.rejected_count for each in result.sources.values())
    return REJECTED if is_kept_apart or is_rejected else DONE
