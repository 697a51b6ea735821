"""Jobs on PostgreSQL: the Django Tasks API on top of Procrastinate, in the product's own database.

Code speaks the Tasks API only (`@task`, `enqueue`); which engine stands behind it is one setting. A job is written in
the transaction that asked for it: it exists if, and only if, what it is about (and its ledger entry) does. On SQLite
`django-tasks-db` does the same.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db import OperationalError, connection
from django.utils import timezone
from django.utils.module_loading import import_string
from django_tasks.backends.base import BaseTaskBackend
from django_tasks.base import Task, TaskResult, TaskResultStatus
from django_tasks.exceptions import TaskResultDoesNotExist
from django_tasks.utils import normalize_json

log = logging.getLogger(__name__)

TASK = "safelight.run_task"
_STATES = {
    "todo": TaskResultStatus.READY,
    "doing": TaskResultStatus.RUNNING,
    "succeeded": TaskResultStatus.SUCCESSFUL,
    "failed": TaskResultStatus.FAILED,
    "cancelled": TaskResultStatus.FAILED,
    "aborting": TaskResultStatus.RUNNING,
    "aborted": TaskResultStatus.FAILED,
}


def on_app_ready(app: Any) -> None:
    """Procrastinate knows one task: to run one of ours (PROCRASTINATE_ON_APP_READY)."""
    app.task(_run, name=TASK)


def _run(path: str, args: list[Any], kwargs: dict[str, Any]) -> None:
    task = import_string(path)
    if not isinstance(task, Task):
        raise TypeError(f"{path} is no task")
    task.call(*args, **kwargs)


class ProcrastinateBackend(BaseTaskBackend):
    """The Tasks backend for PostgreSQL. No coroutines; priorities and run-after are Procrastinate's own."""

    supports_defer = True
    supports_get_result = True
    supports_priority = True

    def enqueue(self, task: Task[Any, Any], args: Any, kwargs: Any) -> TaskResult[Any]:
        """Write a job in the present transaction.

        Raises:
            OperationalError: the database is away; its own error says nothing that a caller knows.
        """
        from procrastinate.contrib.django import app
        from procrastinate.exceptions import ConnectorException

        self.validate_task(task)
        call = normalize_json({"args": list(args), "kwargs": kwargs})
        deferrer = app.configure_task(
            TASK, queue=task.queue_name, priority=task.priority, schedule_at=task.run_after, allow_unknown=True
        )
        try:
            number = deferrer.defer(path=task.module_path, **call)
        except ConnectorException as error:
            raise OperationalError(f"The job could not be written: {error.__cause__ or error}") from error
        return self._result(str(number), task, call, TaskResultStatus.READY)

    def get_result(self, result_id: str) -> TaskResult[Any]:
        """What became of a job.

        Raises:
            TaskResultDoesNotExist: there is none of that number.
        """
        from procrastinate.contrib.django.models import ProcrastinateJob

        row = ProcrastinateJob.objects.filter(pk=result_id).first() if result_id.isdecimal() else None
        if row is None or row.task_name != TASK:
            raise TaskResultDoesNotExist(result_id)
        return self._result(result_id, import_string(row.args["path"]), row.args, _STATES[row.status])

    def _result(self, number: str, task: Task[Any, Any], call: dict[str, Any], status: Any) -> TaskResult[Any]:
        return TaskResult(
            task=task, id=number, status=status, enqueued_at=timezone.now(), started_at=None, finished_at=None,
            last_attempted_at=None, args=call["args"], kwargs=call["kwargs"], backend=self.alias, errors=[],
            worker_ids=[],
        )  # fmt: skip


def work(queues: Iterable[str], *, batch: bool, interval: float) -> None:
    """Take jobs of these queues one after another: the worker of PostgreSQL. Ends on SIGINT or SIGTERM (the present job
    is finished first), and with `batch` when there is nothing left.

    Raises:
        OperationalError: the database is away.
    """
    import psycopg
    from procrastinate.contrib.django import app
    from procrastinate.exceptions import ConnectorException

    try:
        with app.replace_connector(app.connector.get_worker_connector()) as ours:
            ours.run_worker(
                queues=list(queues), wait=not batch, concurrency=1, fetch_job_polling_interval=interval,
                install_signal_handlers=True, listen_notify=not batch, delete_jobs="successful",
                update_heartbeat_interval=5.0, stalled_worker_timeout=20.0,
            )  # fmt: skip
    except (ConnectorException, psycopg.OperationalError) as error:
        raise OperationalError(str(error.__cause__ or error)) from error


def recover_stalled_jobs(after: float) -> int:
    """Put the jobs of workers that are silent for longer than `after` seconds back into their queues.

    What a job is about keeps its own account of what is done, so doing one twice is safe. Only Procrastinate needs it.

    Returns:
        How many.
    """
    if connection.vendor != "postgresql":
        return 0
    with connection.cursor() as cursor:
        # As Procrastinate's own `retry_job`, for all at once and in one statement. A job whose worker is gone from the
        # table (pruned by another worker) is stalled too.
        cursor.execute(
            """
            UPDATE procrastinate_jobs
               SET status = 'todo', attempts = attempts + 1, worker_id = NULL, scheduled_at = NULL
             WHERE id IN (SELECT job.id FROM procrastinate_jobs job
                            LEFT JOIN procrastinate_workers worker ON worker.id = job.worker_id
                           WHERE job.status = 'doing'
                             AND (worker.id IS NULL OR worker.last_heartbeat < NOW() - %s)
                             FOR UPDATE OF job SKIP LOCKED)
            """,
            [timedelta(seconds=after)],
        )
        found = int(cursor.rowcount)
    if found:
        log.warning("%s jobs of silent workers are back in their queues.", found)
    return found


__all__ = ["ProcrastinateBackend", "on_app_ready", "recover_stalled_jobs", "work"]
