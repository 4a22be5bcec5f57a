"""What monitoring reads: figures in the format of Prometheus."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge, write_to_textfile

from jobs.reports.health import Health

NO_LABELS: Mapping[str, str] = {}


def write_metrics(path: Path, found: Health, due: date, healthy: bool) -> None:
    """Write a file for the textfile collector of Prometheus' node exporter; a reader sees the old one or the new one.

    due: the newest date that should have been worked on.
    """
    write_to_textfile(str(path), registry(found, due, healthy))


def registry(found: Health, due: date, healthy: bool) -> CollectorRegistry:
    """The figures as gauges."""
    gauges = CollectorRegistry()

    def gauge(name: str, said: str, values: Iterable[tuple[Mapping[str, str], float]], *labels: str) -> None:
        made = Gauge(f"rollcall_{name}", said, labels, registry=gauges)
        for named, value in values:
            (made.labels(**named) if labels else made).set(value)

    galleries = sorted({gallery.gallery for gallery in found.registered} | set(found.unidentified))
    succeeded = [(run.job, run.succeeded) for run in found.runs if run.succeeded is not None]
    reasons = [({"reason": each.reason.removeprefix("rejected:")}, each) for each in found.rejections]
    registered = [({"gallery": each.gallery, "contract": each.contract_id}, each) for each in found.registered]
    gauge("healthy", "1 unless someone should look.", [(NO_LABELS, float(healthy))])
    gauge(
        "last_success_timestamp_seconds",
        "When a run of the job last finished.",
        [({"job": job}, at.timestamp()) for job, at in succeeded],
        "job",
    )
    gauge(
        "last_run_failed",
        "1 if the last run of the job failed.",
        [({"job": run.job}, float(run.state == "failed")) for run in found.runs],
        "job",
    )
    gauge(
        "last_run_seconds",
        "How long the last run of the job took, or has taken so far.",
        [({"job": run.job}, run.seconds) for run in found.runs],
        "job",
    )
    if found.listed:
        newest = datetime.combine(found.listed[-1], time(), UTC).timestamp()
        gauge(
            "newest_listed_date_timestamp_seconds", "The newest date whose images were listed.", [(NO_LABELS, newest)]
        )
    unlisted = len(found.unlisted(due))
    gauge("unlisted_dates", "Of the last 30 dates, those that were not listed.", [(NO_LABELS, unlisted)])
    gauge("pending_images", "Images without a final outcome.", [(NO_LABELS, sum(found.pending.values()))])
    gauge("pending_dates", "Dates with such images.", [(NO_LABELS, len(found.pending))])
    gauge(
        "future_images", "Images of dates to come, by a wrong clock or name.", [(NO_LABELS, sum(found.future.values()))]
    )
    gauge(
        "unidentified_dates",
        "Dates with faces that were never searched for.",
        [({"gallery": name}, len(found.unidentified.get(name, []))) for name in galleries],
        "gallery",
    )
    gauge(
        "rejected_share",
        "Of the images of the newest date.",
        [(labels, rejection.share) for labels, rejection in reasons],
        "reason",
    )
    gauge(
        "rejected_share_usual",
        "Of the images of the dates before.",
        [(labels, rejection.usual) for labels, rejection in reasons],
        "reason",
    )
    if found.images_per_second is not None:
        gauge("embed_images_per_second", "Of the last embed.", [(NO_LABELS, found.images_per_second)])
    gauge(
        "gallery_persons",
        "Registered persons.",
        [(names, gallery.persons) for names, gallery in registered],
        "gallery",
        "contract",
    )
    gauge(
        "gallery_samples",
        "Their samples.",
        [(names, gallery.samples) for names, gallery in registered],
        "gallery",
        "contract",
    )
    gauge(
        "gallery_persons_not_in_force",
        "Persons of the list whom the last enroll left without an accepted photo.",
        [({"gallery": name}, persons) for name, persons in found.unregistered.items()],
        "gallery",
    )
    gauge(
        "withdrawn_matches",
        "Faces that match by samples that have been withdrawn since.",
        [({"gallery": name}, _faces_by_withdrawn(found, name)) for name in galleries],
        "gallery",
    )
    return gauges


def _faces_by_withdrawn(found: Health, gallery: str) -> int:
    return sum(each.faces for each in found.withdrawn if each.gallery == gallery)
