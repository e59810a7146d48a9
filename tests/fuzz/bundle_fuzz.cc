// Audit bundles: reading never leaves the bytes, and what reads as whole is what writing it gives.
#include "base/check.h"
#include "store/bundle.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace muster;
  const ByteSpan bytes(data, size);
  auto reader = store::BundleReader::open(bytes);
  if (!reader) return 0;
  const std::uint64_t rounds = reader->rounds_claimed();
  Bytes again;
  store::BundleWriter writer([&](ByteSpan piece) {
    again.insert(again.end(), piece.begin(), piece.end());
    return Status();
  });
  MUSTER_CHECK(writer.begin(reader->payloads_left_out()).has_value(), "begin");
  while (true) {
    const auto entry = reader->next();
    if (!entry) return 0;
    if (!*entry) break;
    const auto& [kind, id, content] = **entry;
    const Status written = kind == store::BundleEntryKind::kBlob ? writer.add_blob(id, content)
                                                                 : writer.add(kind, content);
    MUSTER_CHECK(written.has_value(), "written");
  }
  MUSTER_CHECK(writer.end(rounds).has_value(), "end");
  MUSTER_CHECK(again == Bytes(bytes.begin(), bytes.end()), "not canonical");
  return 0;
}
