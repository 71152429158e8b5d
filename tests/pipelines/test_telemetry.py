"""What a collector of OpenTelemetry gets of a run."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from pipelines.exit_codes import DONE, FAILED
from sources.sandbox import Sandbox
from tests.conftest import Command, Query

LOAD = "sync --no-transform --today 2026-01-08"
OK, ERROR = 1, 2


class Collector:
    """A collector on this machine: what it got, by path."""

    def __init__(self) -> None:
        self.bodies: dict[str, bytes] = {}
        self.status = 200
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                collector.bodies[self.path] = body
                self.send_response(collector.status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def spans(self) -> dict[str, Any]:
        [resource] = ExportTraceServiceRequest.FromString(self.bodies["/v1/traces"]).resource_spans
        return {span.name: span for scope in resource.scope_spans for span in scope.spans}

    def metrics(self) -> dict[str, float]:
        message = ExportMetricsServiceRequest.FromString(self.bodies["/v1/metrics"])
        [resource] = message.resource_metrics
        found = {}
        for metric in resource.scope_metrics[0].metrics:
            [point] = metric.gauge.data_points
            found[metric.name] = point.as_int or point.as_double
        return found


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    thread = threading.Thread(target=collector.server.serve_forever, args=(0.01,))
    thread.start()
    yield collector
    collector.server.shutdown()
    thread.join()
    collector.server.server_close()


@pytest.mark.parametrize("variable", ["TELEMETRY__ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"])
def test_a_run_is_a_trace_and_a_few_numbers(
    api: Sandbox, command: Command, query: Query, collector: Collector, variable: str
) -> None:
    api.publish("users", "2026-01-05", [{"user": {"id": "user_1", "email_address": "ana@ex.com"}}])
    assert command(LOAD, **{variable: collector.url}).exit_code == DONE

    spans, metrics = collector.spans(), collector.metrics()
    whole, load = spans["claude-warehouse sync"], spans["load"]
    [(run_id,)] = query("select distinct run_id from claude_raw.runs")
    attributes = {each.key: each.value for each in whole.attributes}
    assert attributes["claude_warehouse.run_id"].string_value == run_id
    assert (whole.status.code, load.parent_span_id) == (OK, whole.span_id)
    assert metrics["claude_warehouse.run.requests"] == len(api.requests)
    assert metrics["claude_warehouse.run.rows"] == 1
    assert 0 < metrics["claude_warehouse.run.duration"] < 600
    # Nothing is published yet.
    assert metrics["claude_warehouse.check.state"] == 2
    assert not any(
        b"ana@" in body or api.api_key.encode() in body for body in collector.bodies.values()
    )


def test_a_run_that_fails_is_a_trace_that_says_so(
    api: Sandbox, command: Command, collector: Collector
) -> None:
    api.answer("/users", status=401, times=1_000)
    assert command(LOAD, TELEMETRY__ENDPOINT=collector.url).exit_code == FAILED

    assert collector.spans()["claude-warehouse sync"].status.code == ERROR
    assert collector.metrics()["claude_warehouse.run.exit_code"] == FAILED


def test_a_collector_that_does_not_take_it_fails_no_run(
    api: Sandbox, command: Command, collector: Collector
) -> None:
    collector.status = 400
    ended = command(LOAD, TELEMETRY__ENDPOINT=collector.url)

    assert ended.exit_code == DONE
    assert "Telemetry was not sent: the collector did not take the trace." in ended.err


def test_without_a_collector_nothing_is_sent(
    api: Sandbox, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.telemetry.send", lambda *_, **__: pytest.fail("it was sent"))
    assert command(LOAD).exit_code == DONE
