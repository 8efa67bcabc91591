"""The checks of an audit, one file each: a function from a `Case` to findings, and what it can and cannot show.

A new check is one file and one line of `CHECKS`. They run in this order: later ones see the rankers that earlier ones trained.
"""

CHECKS = {
    "twins": "twotower.experiments.checks.twins:twins",
    "query-blind order": "twotower.experiments.checks.blind_order:blind_order",
    "query-blind classifier": "twotower.experiments.checks.blind_classifier:blind_classifier",
    "query leaks": "twotower.experiments.checks.query_leaks:query_leaks",
    "document leaks": "twotower.experiments.checks.document_leaks:document_leaks",
    "shared sources": "twotower.experiments.checks.shared_sources:shared_sources",
    "twins without leaks": "twotower.experiments.checks.clean_twins:clean_twins",
    "copied queries": "twotower.experiments.checks.copied_queries:copied_queries",
    "contamination": "twotower.experiments.checks.contamination:contamination",
    "seen texts": "twotower.experiments.checks.seen_texts:seen_texts",
    "saturation": "twotower.experiments.checks.saturation:saturation",
    "smallest effect": "twotower.experiments.checks.smallest_effect:smallest_effect",
    "judgements": "twotower.experiments.checks.judgements:judgements",
}
"""Name to the function, imported on use."""
