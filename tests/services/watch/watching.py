"""Prometheus and Alertmanager as processes, with what deploy/ ships, but for places and patience."""

import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from tests.services.processes import Process, free_port, program
from tests.services.watch.shipped import ALERTMANAGER, PROMETHEUS


class Alertmanager(Process):
    """With the shipped routes, which wait for a second at most, and lead to `receiver` under their own paths."""

    def __init__(self, home: Path, receiver: str) -> None:
        text = ALERTMANAGER.read_text("utf-8").replace("http://127.0.0.1:9095", f"{receiver}/204")
        path = home / "alertmanager.yml"
        path.write_text(re.sub(r"(group_wait|group_interval): \w+", r"\1: 1s", text))
        port = free_port()
        words = [f"--config.file={path}", f"--storage.path={home}/alerts", "--cluster.listen-address="]
        listen = f"--web.listen-address=127.0.0.1:{port}"
        super().__init__(
            [program("prometheus-alertmanager"), *words, listen], port, home / "alertmanager.log"
        )
        self._client = httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v2", timeout=30)

    def api(self, path: str, **query: str) -> Any:
        return self._client.get(path, params=query).raise_for_status().json()

    def kill(self) -> None:
        super().kill()
        self._client.close()

    def tell(self, *alerts: Mapping[str, str]) -> None:
        """As Prometheus does: each alert by its labels."""
        told = [{"labels": dict(labels)} for labels in alerts]
        self._client.post("alerts", json=told).raise_for_status()


class Prometheus(Process):
    """With the shipped configuration and rules, which are looked at every second; `targets` are places by file.

    Metrics are fetched every 5 s: a server whose database is gone takes half of that to tell.
    """

    def __init__(self, home: Path, targets: Mapping[str, str]) -> None:
        self.folder = home / "prometheus"
        shutil.copytree(PROMETHEUS, self.folder)
        path = self.folder / "prometheus.yml"
        text = re.sub(r"(scrape_interval|scrape_timeout): \d+s", r"\1: 5s", path.read_text())
        path.write_text(re.sub(r"(evaluation_interval): \d+s", r"\1: 1s", text))
        for name, place in targets.items():
            (self.folder / f"targets/{name}.yml").write_text(f'- targets: ["{place}"]\n')
        port = free_port()
        words = [f"--config.file={path}", f"--storage.tsdb.path={home}/data", "--web.enable-lifecycle"]
        # What Alertmanager missed, as after a reload, is else told again a minute later.
        words += [f"--web.listen-address=127.0.0.1:{port}", "--rules.alert.resend-delay=1s"]
        super().__init__([program("prometheus"), *words], port, home / "prometheus.log")
        self._client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30)

    def get(self, path: str, **query: str) -> Any:
        answer = self._client.get(f"/api/v1/{path}", params=query)
        assert answer.status_code == 200, (query, answer.text)
        return answer.json()["data"]

    def values(self, query: str) -> list[float]:
        """The values of every series that a query finds now."""
        return [float(one["value"][1]) for one in self.get("query", query=query)["result"]]

    def reload(self) -> None:
        self._client.post("/-/reload").raise_for_status()

    def kill(self) -> None:
        super().kill()
        self._client.close()
