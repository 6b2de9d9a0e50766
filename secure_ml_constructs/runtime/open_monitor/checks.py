"""Compares a window with the baseline: what changed, by how much, and whether chance explains it.

A violation is both: larger than its limit, and improbable. The probabilities of all tests of a run are
corrected together (Holm, "A simple sequentially rejective multiple test procedure", 1979), so that
`false_alarm_rate` bounds the chance that an undisturbed window raises any violation at all. Large windows
make every trifle improbable; there the limit decides. In small ones chance does.
"""

from __future__ import annotations

from typing import Literal

import msgspec
import numpy as np
from scipy import stats

from .captures import Damage
from .likelihood import categories, kolmogorov_smirnov, more, ndcg
from .probing import Alike, Probing
from .quality import PARTS, Measured, Quality
from .schema import Feature
from .settings import Settings
from .tally import Column, Group, Tally

Severity = Literal["high", "medium", "low"]


class Check(msgspec.Struct, kw_only=True):
    """One comparison.

    Attributes:
        metric: What was compared.
        subject: The column, class, facet or caller.
        observed: In the window.
        expected: In the baseline.
        threshold: The largest change, or the limit itself, that is allowed.
        change: How far the window went.
        excess: The change, in multiples of what is allowed.
        probability: Of as much by chance, before correction; null where chance has no part.
        violated: Whether it is a violation.
        severity: Of the violation, should it be one.
    """

    metric: str
    subject: str
    observed: float
    expected: float
    threshold: float
    change: float
    excess: float = 0.0
    probability: float | None = None
    violated: bool = False
    severity: Severity = "medium"

    def __post_init__(self) -> None:
        """Measure the change by what is allowed."""
        if not self.excess and self.threshold:
            self.excess = self.change / self.threshold


class Baseline(msgspec.Struct, kw_only=True):
    """What the model was accepted with.

    Attributes:
        version: Of this layout.
        kind: The model's kind.
        names: Of a request's values, in order.
        features: The columns that are watched.
        shapes: What is known of predictions.
        tally: The counters.
        quality: The measures, where the data had a label.
        alike: The share of the fullest bucket of nearly identical rows.
    """

    version: int = 1
    kind: str
    names: tuple[str, ...]
    features: list[Feature]
    shapes: dict[str, Feature]
    tally: Tally
    quality: Measured
    alike: float


def compare(
    settings: Settings, baseline: Baseline, window: Tally, damage: Damage, quality: Measured, probing: Probing
) -> tuple[list[Check], list[str]]:
    """Compare.

    Args:
        settings: The settings.
        baseline: What is expected.
        window: What was seen.
        damage: What could not be read.
        quality: What labels told.
        probing: Who asked nearly the same.

    Returns:
        Every comparison, and what could not be judged, with the reason.
    """
    limits = settings.limits
    checks = _damage(settings, damage, window.rows)
    skipped: list[str] = []
    gone = {check.subject for check in checks if check.metric == "missing_column"}
    if window.rows < limits.least_rows:
        skipped.append(f"everything but damage: {window.rows} rows are fewer than {limits.least_rows}")
        return checks, skipped
    for feature in baseline.features:
        if feature.name not in gone:
            checks += _feature(settings, feature, baseline.tally.columns[feature.name], window, skipped)
    checks += _predictions(settings, baseline, window, skipped)
    for facet in settings.facets:
        before, now = baseline.tally.facets[facet.name], window.facets[facet.name]
        if min(now.group, now.rest, before.group, before.rest) < limits.least_rows:
            skipped.append(f"bias of {facet.name}: fewer than {limits.least_rows} rows of it or of the rest")
            continue
        checks.append(_difference(facet.name, before, now, limits.bias))
        if facet.disparate_impact is not None:
            checks.append(_impact(facet.name, before, now, facet.disparate_impact))
    checks += _attributions(settings, baseline, window, skipped)
    checks += _quality(settings, baseline.quality, quality, skipped)
    checks += _alike(baseline.alike, baseline.tally.rows, probing, limits.alike)
    judge(checks, limits.false_alarm_rate)
    return checks, skipped


def compare_quality(
    settings: Settings, baseline: Baseline, quality: Measured
) -> tuple[list[Check], list[str]]:
    """Compare quality alone, for a window whose truth came later.

    Args:
        settings: The settings.
        baseline: What is expected.
        quality: What labels told.

    Returns:
        Every comparison, and what could not be judged, with the reason.
    """
    skipped: list[str] = []
    checks = _quality(settings, baseline.quality, quality, skipped)
    judge(checks, settings.limits.false_alarm_rate)
    return checks, skipped


def judge(checks: list[Check], rate: float) -> None:
    """Say which checks are violations, and how severe."""
    tested = sorted(
        (check for check in checks if check.probability is not None),
        key=lambda check: check.probability if check.probability is not None else 1.0,
    )
    for number, check in enumerate(tested):
        if (check.probability or 0.0) > rate / (len(tested) - number):
            break
        if check.excess >= 1:
            check.violated = True
            if check.excess >= 2:
                check.severity = "high"


def _share(
    metric: str, subject: str, before: tuple[int, int], now: tuple[int, int], threshold: float
) -> Check:
    expected, observed = before[0] / max(before[1], 1), now[0] / max(now[1], 1)
    return Check(
        metric=metric,
        subject=subject,
        observed=observed,
        expected=expected,
        threshold=threshold,
        change=observed - expected,
        probability=more(*before, *now),
    )


def _apart(metric: str, subject: str, found: tuple[float, float], threshold: float) -> Check:
    apart, probability = found
    return Check(
        metric=metric,
        subject=subject,
        observed=apart,
        expected=0.0,
        threshold=threshold,
        change=apart,
        probability=probability,
    )


def _damage(settings: Settings, damage: Damage, rows: int) -> list[Check]:
    limit = settings.limits.damaged
    found = []
    for metric, count, of in (
        ("corrupt_lines", sum(damage.corrupt.values()), damage.lines),
        ("wrong_width", sum(damage.width.values()), rows + sum(damage.width.values())),
    ):
        share = count / max(of, 1)
        found.append(
            Check(
                metric=metric,
                subject="captures",
                observed=share,
                expected=0.0,
                threshold=limit,
                change=share,
                violated=count > 0,
                severity="high" if share >= limit else "low",
            )
        )
    wrong: tuple[tuple[str, dict[str, int], Severity], ...] = (
        ("missing_column", damage.absent, "high"),
        ("extra_column", damage.extra, "medium"),
    )
    for metric, counts, severity in wrong:
        for name, count in sorted(counts.items()):
            share = count / max(rows, 1)
            if metric == "missing_column" and share < 0.99:
                # Some rows without it: those are missing values.
                continue
            check = Check(
                metric=metric, subject=name, observed=share, expected=0.0, threshold=limit, change=share
            )
            check.violated, check.severity = share >= limit, severity
            found.append(check)
    return found


def _feature(
    settings: Settings, feature: Feature, before: Column, window: Tally, skipped: list[str]
) -> list[Check]:
    limits, now, name = settings.limits, window.columns[feature.name], feature.name
    checks = [_share("missing", name, (before.missing, before.rows), (now.missing, now.rows), limits.missing)]
    if feature.kind == "text":
        return checks
    if feature.kind == "number":
        was, is_now = before.rows - before.missing, now.rows - now.missing
        counted = (before.unreadable, was), (now.unreadable, is_now)
        checks.append(_share("unreadable", name, *counted, limits.unreadable))
    if min(now.present, before.present) < limits.least_rows:
        skipped.append(f"drift of {name}: fewer than {limits.least_rows} values")
        return checks
    if feature.kind == "number":
        # That none of the baseline lies outside is how the range was made. The test holds all the same: new
        # values beyond the old are as probable as that the highest of all are new ones.
        for metric, count in (("below_range", now.below), ("above_range", now.above)):
            checks.append(
                _share(metric, name, (0, before.present), (count, now.present), limits.out_of_range)
            )
        checks.append(_apart("drift", name, kolmogorov_smirnov(before.counts, now.counts), limits.drift))
    else:
        # Good (1953): as many values are new as were seen once.
        known = max(before.counts[-1], feature.singles)
        new = (known, before.present), (now.counts[-1], now.present)
        checks.append(_share("new_category", name, *new, limits.out_of_range))
        checks.append(_apart("drift", name, categories(before.counts, now.counts), limits.drift))
    return checks


def _predictions(settings: Settings, baseline: Baseline, window: Tally, skipped: list[str]) -> list[Check]:
    limits, before = settings.limits, baseline.tally
    checks = []
    for name in baseline.shapes:
        was, now = before.predictions[name], window.predictions[name]
        if min(was.present, now.present) < limits.least_rows:
            skipped.append(f"drift of {SHOWN[name]}: fewer than {limits.least_rows} values")
            continue
        checks.append(
            _apart("prediction_drift", SHOWN[name], kolmogorov_smirnov(was.counts, now.counts), limits.drift)
        )
        if name == "entropy":
            checks.append(_mean("entropy", was, now, limits.entropy))
    if settings.kind == "regression":
        was, now = before.predictions["shown"], window.predictions["shown"]
        lost = (was.missing, was.rows), (now.missing, now.rows)
        return [*checks, _share("unknown_prediction", "prediction", *lost, limits.unreadable)]
    lost = (before.unknown_classes, before.rows), (window.unknown_classes, window.rows)
    checks.append(_share("unknown_prediction", "prediction", *lost, limits.unreadable))
    old, new = sum(before.classes), sum(window.classes)
    if min(old, new) >= limits.least_rows:
        apart = categories(before.classes, window.classes)
        checks.append(_apart("prediction_drift", "class", apart, limits.drift))
        for name, was_count, count in zip(settings.classes, before.classes, window.classes, strict=True):
            shares = was_count / old, count / new
            # Either side, so twice the smaller probability.
            sides = more(was_count, old, count, new), more(old - was_count, old, new - count, new)
            checks.append(
                Check(
                    metric="class_share",
                    subject=name,
                    observed=shares[1],
                    expected=shares[0],
                    threshold=limits.class_share,
                    change=abs(shares[1] - shares[0]),
                    probability=min(1.0, 2 * min(sides)),
                )
            )
    if min(before.answered, window.answered) >= limits.least_rows:
        unsure = (before.unsure, before.answered), (window.unsure, window.answered)
        checks.append(_share("low_confidence", "prediction", *unsure, limits.low_confidence))
    return checks


# What reports call the kinds of predictions.
SHOWN = {"shown": "prediction", "confidence": "confidence", "entropy": "entropy"}


def _mean(metric: str, before: Column, now: Column, threshold: float) -> Check:
    error = np.sqrt(before.variance / before.present + now.variance / now.present)
    change = abs(now.mean - before.mean)
    return Check(
        metric=metric,
        subject="prediction",
        observed=now.mean,
        expected=before.mean,
        threshold=threshold,
        change=change,
        probability=float(2 * stats.norm.sf(change / error)) if error else float(change == 0),
    )


def _difference(name: str, before: Group, now: Group, threshold: float) -> Check:
    variance = 0.0
    for group in (before, now):
        for rate, rows in zip(group.rates, (group.group, group.rest), strict=True):
            # Of Agresti and Caffo (2000): a rate of 0 is not known for certain.
            kept = (rate * rows + 1) / (rows + 2)
            variance += kept * (1 - kept) / (rows + 2)
    change = abs(now.difference - before.difference)
    return Check(
        metric="positive_rate_difference",
        subject=name,
        observed=now.difference,
        expected=before.difference,
        threshold=threshold,
        change=change,
        probability=float(2 * stats.norm.sf(change / np.sqrt(variance))),
    )


def _impact(name: str, before: Group, now: Group, lowest: float) -> Check:
    """Test whether the group's rate is below so much of the rest's (Katz et al. 1978, on the logarithm)."""
    yes, other = now.group_positive + 0.5, now.rest_positive + 0.5
    ratio = (yes / (now.group + 0.5)) / (other / (now.rest + 0.5))
    error = np.sqrt(max(1 / yes - 1 / (now.group + 0.5) + 1 / other - 1 / (now.rest + 0.5), 1e-12))
    observed = now.impact if now.impact is not None else 1.0
    return Check(
        metric="disparate_impact",
        subject=name,
        observed=observed,
        expected=before.impact if before.impact is not None else 1.0,
        threshold=lowest,
        change=lowest - observed,
        excess=lowest / max(observed, 0.01),
        probability=float(stats.norm.cdf((np.log(ratio) - np.log(lowest)) / error)),
    )


def _attributions(settings: Settings, baseline: Baseline, window: Tally, skipped: list[str]) -> list[Check]:
    """Compare the order of features by their mean attribution, as SageMaker Clarify does (NDCG)."""
    names = list(settings.attributions)
    if not names:
        return []
    before, now = baseline.tally.attributions, window.attributions
    if min(min(before[name].present, now[name].present) for name in names) < settings.limits.least_rows:
        skipped.append(f"attributions: fewer than {settings.limits.least_rows} rows")
        return []
    was, is_now = (np.array([side[name].mean for name in names]) for side in (before, now))
    agreement = ndcg(was, is_now)
    # The order may change by chance where two are about the same: then no mean has changed.
    each = [_mean("", before[name], now[name], 0.0).probability or 0.0 for name in names]
    return [
        Check(
            metric="attribution_drift",
            subject="order of features",
            observed=agreement,
            expected=1.0,
            threshold=1 - settings.limits.attribution,
            change=1 - agreement,
            probability=min(1.0, len(names) * min(each)),
        )
    ]


def _quality(settings: Settings, before: Measured, now: Measured, skipped: list[str]) -> list[Check]:
    if not now.labels:
        return []
    if not before.measures:
        skipped.append("quality: the baseline had no label")
        return []
    if now.matched < settings.limits.least_rows:
        skipped.append(
            f"quality: {now.matched} labels met a prediction, fewer than {settings.limits.least_rows}"
        )
        return []
    checks = []
    for name in before.measures.keys() & now.measures.keys():
        was, found = before.measures[name], now.measures[name]
        worse = found.value - was.value if name in ("mae", "rmse") else was.value - found.value
        limit = settings.limits.error * was.value if name in ("mae", "rmse") else settings.limits.quality
        checks.append(
            Check(
                metric=name,
                subject="quality",
                observed=found.value,
                expected=was.value,
                threshold=limit,
                change=worse,
                probability=_worse(worse, was, found),
            )
        )
    return sorted(checks, key=lambda check: check.metric)


def _worse(worse: float, before: Quality, now: Quality) -> float:
    error = float(np.hypot(before.error, now.error))
    return float(stats.t.sf(worse / error, PARTS - 1)) if error else float(worse <= 0)


def _alike(expected: float, rows: int, probing: Probing, limit: int) -> list[Check]:
    checks = []
    seen = list(probing.found())
    # By chance as many as the baseline's fullest bucket holds, which itself is known by its rows only.
    natural = expected + 3 * float(np.sqrt((expected + 1 / rows) / rows))
    found: Alike
    for number, found in enumerate(seen):
        if number and found.alike < limit:
            break
        chance = float(stats.binom.sf(found.alike - 1, found.queries, min(natural, 1.0)))
        checks.append(
            Check(
                metric="alike_queries",
                subject=found.caller or "unknown caller",
                observed=found.alike,
                expected=natural * found.queries,
                threshold=limit,
                change=found.alike,
                probability=min(1.0, chance * len(seen)),
            )
        )
    return checks
