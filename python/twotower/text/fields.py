"""One analyzer for each field of a document. Knows no index."""

from collections.abc import Iterable, Mapping
from typing import Any, Self

from twotower.errors import InputTypeError, InvalidInputError
from twotower.text.analyzer import Analyzer, as_analyzer
from twotower.text.analyzers import TextFunction
from twotower.text.term_ids import TermIds
from twotower.text.text_columns import Texts
from twotower.text.vocabulary import Vocabulary

CONFIG_VERSION = 1


class FieldAnalyzers:
    """Which analyzer reads which field: the "mapping" of Elasticsearch, the PerFieldAnalyzerWrapper of Lucene.

    Parameters
    ----------
    fields : mapping of str to str, Analyzer or callable
        Name of a field to what `twotower.Analyzer` takes.
    default : str, Analyzer or callable, optional
        Reads every field that has no analyzer of its own. Without it such a field is an error.

    Raises
    ------
    InputTypeError
        If `fields` is no mapping, or a name is no str.
    InvalidInputError
        If there is neither a field nor a default, or an analyzer is unknown.

    Examples
    --------
    >>> fields = FieldAnalyzers({"title": "plain", "body": "english"})
    >>> fields.analyze({"title": "The Nurses", "body": "The nurses loved"})
    {'title': ['the', 'nurses'], 'body': ['nurs', 'love']}
    >>> fields.analyze_query("nurses")
    {'title': ['nurses'], 'body': ['nurs']}
    """

    def __init__(
        self,
        fields: Mapping[str, Analyzer | str | TextFunction],
        default: Analyzer | str | TextFunction | None = None,
    ) -> None:
        if not isinstance(fields, Mapping):
            raise InputTypeError(f"fields is of type {type(fields).__name__}: give a dict from field to analyzer")
        for name in fields:
            if not isinstance(name, str):
                raise InputTypeError(f"field {name!r} is of type {type(name).__name__}: a name must be a str")
        if not fields and default is None:
            raise InvalidInputError("there is neither a field nor a default analyzer: give one of them")
        self._fields = {name: as_analyzer(analyzer) for name, analyzer in fields.items()}
        self._default = None if default is None else as_analyzer(default)

    def __getitem__(self, field: str) -> Analyzer:
        """Return the analyzer of a field.

        Raises
        ------
        InvalidInputError
            If it has none and there is no default; the message lists the fields.
        """
        analyzer = self._fields.get(field, self._default)
        if analyzer is None:
            raise InvalidInputError(f"no analyzer for field {field!r}: there are {', '.join(self._fields)}, no default")
        return analyzer

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of the fields that have an analyzer of their own."""
        return tuple(self._fields)

    def analyze(self, document: Mapping[str, str]) -> dict[str, list[str]]:
        """Return the terms of each field that a document has.

        Raises
        ------
        InputTypeError
            If a field is no str.
        InvalidInputError
            If a field has no analyzer or a lone surrogate.
        """
        if not isinstance(document, Mapping):
            raise InputTypeError(f"document is of type {type(document).__name__}: give a dict from field to text")
        return {field: self[field].analyze(text) for field, text in document.items()}

    def analyze_query(self, text: str, fields: str | Iterable[str] | None = None) -> dict[str, list[str]]:
        """Return the terms of a query in a field or in each of `fields` (all named ones by default), as they are indexed."""
        if isinstance(fields, str):
            fields = (fields,)
        return {field: self[field].analyze(text) for field in (self._fields if fields is None else fields)}

    def term_ids(
        self, columns: Mapping[str, Iterable[str] | Texts], vocabulary: Vocabulary, grow: bool, threads: int = 0
    ) -> dict[str, TermIds]:
        """Return the terms of whole columns as ids of one vocabulary; arguments are those of `Analyzer.term_ids`.

        Parameters
        ----------
        columns : mapping of str to texts
            Name of a field to that field of all N documents. New terms get their ids column by column.
        vocabulary : Vocabulary
        grow : bool
        threads : int

        Returns
        -------
        dict of str to TermIds

        Raises
        ------
        InputTypeError
            If `columns` is no mapping.
        InvalidInputError
            If columns are not of one length.
        """
        if not isinstance(columns, Mapping):
            raise InputTypeError(f"columns is of type {type(columns).__name__}: give a dict from field to texts")
        found = {field: self[field].term_ids(texts, vocabulary, grow, threads) for field, texts in columns.items()}
        lengths = {field: len(terms.offsets) - 1 for field, terms in found.items()}
        if len(set(lengths.values())) > 1:
            raise InvalidInputError(f"columns differ in length: {lengths}; give each field of every document")
        return found

    def to_config(self) -> dict[str, Any]:
        """Return all that `from_config` needs, ready for JSON.

        Raises
        ------
        InvalidInputError
            If an analyzer cannot be saved (`Analyzer.to_config`).
        """
        fields = {name: analyzer.to_config() for name, analyzer in self._fields.items()}
        default = None if self._default is None else self._default.to_config()
        return {"version": CONFIG_VERSION, "fields": fields, "default": default}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Make what `to_config` described.

        Raises
        ------
        InputTypeError
            If `config` is no mapping, or a part of it has a type that it cannot have.
        InvalidInputError
            If the description is of an unknown version, or lacks or has what it should not.

        Warns
        -----
        VersionWarning
            As `Analyzer.from_config`.
        """
        if not isinstance(config, Mapping):
            raise InputTypeError(f"config is of type {type(config).__name__}: give the dict of to_config")
        if config.keys() != {"version", "fields", "default"} or config["version"] != CONFIG_VERSION:
            raise InvalidInputError(
                f"config of fields has the keys {', '.join(sorted(map(str, config)))} and version "
                f"{config.get('version')!r}: it must have default, fields, version, and version {CONFIG_VERSION}"
            )
        if not isinstance(config["fields"], Mapping):
            raise InputTypeError(f"fields is of type {type(config['fields']).__name__}: give a dict")
        default = config["default"]
        return cls(
            {name: Analyzer.from_config(part) for name, part in config["fields"].items()},
            None if default is None else Analyzer.from_config(default),
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return FieldAnalyzers, (self._fields, self._default)

    def __repr__(self) -> str:
        return f"FieldAnalyzers({self._fields!r}, default={self._default!r})"
