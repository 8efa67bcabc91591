// Building and storing inverted indexes, for python/twotower/index alone.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "arrays.h"
#include "bindings.h"
#include "segments.h"
#include "twotower/error.h"
#include "twotower/lexical_build.h"
#include "twotower/postings_codec.h"

namespace twotower::bindings {
namespace {

template <class T>
Array<T> room_for(std::size_t n) {
  return Array<T>(static_cast<py::ssize_t>(n));
}

template <class T>
std::span<T> room(Array<T>& array) {
  return {array.mutable_data(), static_cast<std::size_t>(array.size())};
}

void add(LexicalBuilder& builder, const Array<TermId>& ids, const Array<std::int64_t>& offsets, std::size_t n_terms) {
  const auto ids_view = flat(ids);
  const auto offsets_view = flat(offsets);
  const GilRelease release;
  builder.add(TermLists(ids_view, offsets_view, n_terms));
}

py::tuple arrays_of(LexicalBuilder& builder) {
  const BuildCounts counts = builder.counts();
  auto term_offsets = room_for<std::int64_t>(counts.n_terms + 1);
  auto docs = room_for<DocId>(counts.n_postings);
  auto tfs = room_for<std::uint32_t>(counts.n_postings);
  auto doc_lengths = room_for<std::uint32_t>(counts.n_docs);
  {
    const auto offsets_room = room(term_offsets);
    const auto docs_room = room(docs);
    const auto tfs_room = room(tfs);
    const auto lengths_room = room(doc_lengths);
    const GilRelease release;
    builder.fill(offsets_room, docs_room, tfs_room, lengths_room);
  }
  return py::make_tuple(term_offsets, docs, tfs, doc_lengths);
}

py::dict save(LexicalBuilder& builder, const std::filesystem::path& folder, const std::string& kind,
              const py::bytes& meta, const NamedArrays& others) {
  const std::vector<Segment> segments = segments_of(others);
  const std::string metadata(meta);
  std::vector<std::pair<std::string, std::uint64_t>> sizes;
  {
    const GilRelease release;
    sizes = builder.save(folder, kind, metadata, segments);
  }
  py::dict bytes;
  for (const auto& [name, size] : sizes) bytes[py::str(name)] = size;
  return bytes;
}

py::tuple pack(const Array<std::int64_t>& term_offsets, const Array<DocId>& docs, const Array<std::uint32_t>& tfs,
               unsigned threads) {
  const auto offsets = flat(term_offsets);
  const auto docs_view = flat(docs);
  const auto tfs_view = flat(tfs);
  PackedPostings packed;
  {
    const GilRelease release;
    packed = pack_postings(offsets, docs_view, tfs_view, threads);
  }
  return py::make_tuple(to_numpy(std::move(packed.bytes)), to_numpy(std::move(packed.group_ends)));
}

// Allocates only what the bytes can hold: a full block of 128 postings has at least its two headers.
py::tuple unpack(const Array<std::uint8_t>& bytes, const Array<std::uint64_t>& group_ends,
                 const Array<std::int64_t>& term_offsets, unsigned threads) {
  const auto offsets = flat(term_offsets);
  if (offsets.empty() || offsets.front() != 0 || !std::is_sorted(offsets.begin(), offsets.end()) ||
      static_cast<std::uint64_t>(offsets.back()) > 128 * static_cast<std::uint64_t>(bytes.size())) {
    throw CorruptFile("packed postings cannot hold what the dfs state: build and save the index again");
  }
  auto docs = room_for<DocId>(static_cast<std::size_t>(offsets.back()));
  auto tfs = room_for<std::uint32_t>(static_cast<std::size_t>(offsets.back()));
  {
    const auto bytes_view = flat(bytes);
    const auto ends = flat(group_ends);
    const auto docs_room = room(docs);
    const auto tfs_room = room(tfs);
    const GilRelease release;
    unpack_postings(bytes_view, ends, offsets, docs_room, tfs_room, threads);
  }
  return py::make_tuple(docs, tfs);
}

Array<std::uint32_t> unpack_numbers(const Array<std::uint8_t>& bytes) {
  auto values = room_for<std::uint32_t>(packed_count(flat(bytes)));
  unpack_integers(flat(bytes), room(values));
  return values;
}

}  // namespace

void bind_lexical_build(py::module_& m) {
  m.def("pack_postings", &pack, py::arg("term_offsets").noconvert(), py::arg("docs").noconvert(),
        py::arg("tfs").noconvert(), py::arg("threads"), "Return (postings uint8, group_ends uint64).");
  m.def("unpack_postings", &unpack, py::arg("postings").noconvert(), py::arg("group_ends").noconvert(),
        py::arg("term_offsets").noconvert(), py::arg("threads"), "Return (docs, tfs) of untrusted bytes.");
  m.def(
      "pack_integers", [](const Array<std::uint32_t>& values) { return to_numpy(pack_integers(flat(values))); },
      py::arg("values").noconvert(), "Return numbers, small ones best, as few bytes.");
  m.def("unpack_integers", &unpack_numbers, py::arg("bytes").noconvert(), "Return the numbers of untrusted bytes.");

  py::class_<BuildCounts>(m, "BuildCounts")
      .def_readonly("n_docs", &BuildCounts::n_docs)
      .def_readonly("n_terms", &BuildCounts::n_terms)
      .def_readonly("n_postings", &BuildCounts::n_postings)
      .def_readonly("spilled_bytes", &BuildCounts::spilled_bytes);

  py::class_<LexicalBuilder>(m, "LexicalBuilder", "Inverts documents as they come, in bounded memory.")
      .def(py::init([](std::size_t memory_limit, unsigned threads, const std::filesystem::path& spill_folder) {
             return std::make_unique<LexicalBuilder>(BuildOptions{memory_limit, threads, spill_folder});
           }),
           py::arg("memory_limit"), py::arg("threads"), py::arg("spill_folder"))
      .def("add", &add, py::arg("ids").noconvert(), py::arg("offsets").noconvert(), py::arg("n_terms"))
      .def("reserve", &LexicalBuilder::reserve, py::arg("bytes"))
      .def("finish", &LexicalBuilder::finish, py::call_guard<GilRelease>())
      .def("arrays", &arrays_of, "Return (term_offsets, docs, tfs, doc_lengths); after finish().")
      .def("save", &save, py::arg("folder"), py::arg("kind"), py::arg("meta"), py::arg("others"),
           "Save the packed index with other arrays, return the bytes of its own; after finish().");
}

}  // namespace twotower::bindings
