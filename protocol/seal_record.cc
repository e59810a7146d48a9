#include "protocol/seal_record.h"

#include "base/limits.h"
#include "compression/segmented_blob.h"
#include "wire/codec.h"

namespace muster::protocol {
namespace {

struct Header {
  std::vector<Outcome> outcomes;
  std::uint32_t screens = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(outcomes, screens);
  }
};

}  // namespace

std::uint64_t record_bytes_max() {
  constexpr std::uint64_t kEnvelopes = limits::kRosterMax + 2 * limits::kEvidenceMax;
  return kEnvelopes * limits::kScreenBytesMax + limits::kMessageBytesMax;
}

Bytes encode_record(const SealRecord& record) {
  compression::SegmentedBlob blob{
      wire::encode(Header{record.outcomes, static_cast<std::uint32_t>(record.screens.size())}),
      record.screens};
  for (const Evidence& evidence : record.evidence) blob.segments.push_back(wire::encode(evidence));
  return compression::write_blob(blob);
}

Result<SealRecord> decode_record(ByteSpan bytes) {
  MUSTER_TRY(compression::SegmentedBlob blob, compression::read_blob(bytes));
  MUSTER_TRY(Header header, wire::decode<Header>(blob.header, "seal record"));
  if (header.screens > blob.segments.size())
    return Error{Errc::kMalformed, "seal record: fewer segments than Screens"};
  SealRecord record;
  record.outcomes = std::move(header.outcomes);
  for (std::size_t s = 0; s < blob.segments.size(); ++s) {
    if (s < header.screens) {
      record.screens.push_back(std::move(blob.segments[s]));
    } else {
      MUSTER_TRY(record.evidence.emplace_back(),
                 wire::decode<Evidence>(blob.segments[s], "seal record: evidence"));
    }
  }
  MUSTER_TRY_STATUS(validate(record));
  return record;
}

std::map<Uid, std::uint32_t> arrivals_of(const SealRecord& record) {
  std::map<Uid, std::uint32_t> arrivals;
  for (const auto& outcome : record.outcomes) arrivals[outcome.uid] = outcome.arrival_ms;
  return arrivals;
}

}  // namespace muster::protocol
