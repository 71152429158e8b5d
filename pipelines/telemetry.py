"""Sends a run to a collector of OpenTelemetry: a trace of its stages, its counts as metrics."""

import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from pipelines.data_dir import DataDir

SERVICE = "claude-warehouse"
SECONDS = 3.0
"""For each of the two posts; a collector that is gone holds nobody up for long."""
COUNTS = {
    "request_count": "requests",
    "wait_seconds": "wait",
    "retry_count": "retries",
    "day_count": "days",
    "row_count": "rows",
    "revision_count": "revisions",
    "problem_count": "problems",
    "exit_code": "exit_code",
}
"""What the table of runs calls a number -> the metric `claude_warehouse.run.…`."""
UNITS = {"wait": "s", "duration": "s"}


@dataclass(frozen=True)
class Stage:
    """A part of a run: its name, and when it began and ended, in nanoseconds since 1970."""

    name: str
    began: int
    ended: int


def send(
    endpoint: str,
    data_dir: DataDir,
    run: Mapping[str, Any],
    stages: Sequence[Stage],
    *,
    state: int | None = None,
    seconds: float = SECONDS,
) -> str | None:
    """Post trace and metrics; returns what went wrong, or None. Never raises.

    `run` is as the table of runs has it, `state` what `check` says of the data.
    """
    try:
        problem = _sent(endpoint.rstrip("/"), data_dir, run, stages, state, seconds)
    except ImportError:
        return (
            "Telemetry was not sent: what sends it is not installed.\n"
            "The run itself is not affected.\n"
            'Install it: pip install "claude-warehouse[otel]"'
        )
    except Exception as error:
        problem = type(error).__name__
    return problem and (
        f"Telemetry was not sent: {problem}.\n"
        "The run itself is not affected.\n"
        "Check [telemetry] endpoint: scheme, host and port of a collector that takes OTLP by HTTP."
    )


def _sent(
    endpoint: str,
    data_dir: DataDir,
    run: Mapping[str, Any],
    stages: Sequence[Stage],
    state: int | None,
    seconds: float,
) -> str | None:
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.metrics.export import MetricExportResult
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace.export import SpanExportResult

    where = f"{socket.gethostname()}:{data_dir.root}"
    resource = Resource.create(
        {
            "service.name": SERVICE,
            "service.version": run["version"],
            "service.instance.id": str(uuid5(NAMESPACE_URL, where)),
        }
    )
    # Handed over directly, and not by the library's threads: so it is known whether they came.
    spans = OTLPSpanExporter(f"{endpoint}/v1/traces", timeout=seconds)
    if spans.export(_spans(resource, run, stages)) is not SpanExportResult.SUCCESS:
        return "the collector did not take the trace"
    metrics = OTLPMetricExporter(f"{endpoint}/v1/metrics", timeout=seconds)
    if metrics.export(_metrics(resource, run, stages, state)) is not MetricExportResult.SUCCESS:
        return "the collector did not take the metrics"
    return None


def _spans(resource: Any, run: Mapping[str, Any], stages: Sequence[Stage]) -> Sequence[Any]:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    from opentelemetry.trace import Status, StatusCode, set_span_in_context

    kept = InMemorySpanExporter()
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(kept))
    tracer = provider.get_tracer(SERVICE, run["version"])
    began, ended = stages[0].began, stages[-1].ended
    whole = tracer.start_span(f"{SERVICE} {run['command']}", start_time=began)
    for name in ("run_id", "outcome", *COUNTS):
        if run[name] is not None:
            whole.set_attribute(f"claude_warehouse.{name}", run[name])
    # By itself, a span that ends with exit code 1 has no status.
    is_good = run["outcome"] in ("done", "rejected rows")
    whole.set_status(Status(StatusCode.OK if is_good else StatusCode.ERROR, run["outcome"]))
    for stage in stages:
        inside = set_span_in_context(whole)
        part = tracer.start_span(stage.name, context=inside, start_time=stage.began)
        part.end(end_time=stage.ended)
    whole.end(end_time=ended)
    return kept.get_finished_spans()


def _metrics(
    resource: Any, run: Mapping[str, Any], stages: Sequence[Stage], state: int | None
) -> Any:
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader

    kept = InMemoryMetricReader()
    provider = MeterProvider([kept], resource=resource, shutdown_on_exit=False)
    meter = provider.get_meter(SERVICE, run["version"])
    values: dict[str, int | float | None] = {
        f"run.{short}": run[name] for name, short in COUNTS.items()
    }
    values["run.duration"] = (stages[-1].ended - stages[0].began) / 1e9
    values["check.state"] = state
    for name, value in values.items():
        if value is not None:
            unit = UNITS.get(name.rpartition(".")[2], "1")
            gauge = meter.create_gauge(f"claude_warehouse.{name}", unit=unit)
            gauge.set(value, {"command": run["command"]})
    return kept.get_metrics_data()
