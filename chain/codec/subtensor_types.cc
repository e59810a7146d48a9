#include "chain/codec/subtensor_types.h"

namespace muster::chain {
namespace {

using Kind = CommitmentData::Kind;

// Tags 1..129 carry raw bytes of length tag - 1; the other kinds follow.
constexpr std::uint8_t kLastRawTag = 1 + CommitmentData::kRawBytesMax;
constexpr std::uint8_t kLastTag = kLastRawTag + 7;

std::uint8_t tag_of(const CommitmentData& data) {
  if (data.kind == Kind::kNone) return 0;
  if (data.kind == Kind::kRaw) return static_cast<std::uint8_t>(1 + data.bytes.size());
  return static_cast<std::uint8_t>(kLastRawTag - 1 + static_cast<int>(data.kind));
}

void assign(Bytes& bytes, ByteSpan from) { bytes.assign(from.begin(), from.end()); }

template <std::size_t kBytesMax>
void read_bounded(Bytes& bytes, ScaleReader& codec) {
  BoundedBytes<kBytesMax> bounded;
  codec(bounded);
  bytes = std::move(bounded.bytes);
}

}  // namespace

void RootClaimType::fields(const RootClaimType& type, ScaleWriter& codec) {
  codec(static_cast<std::uint8_t>(type.kind));
  if (type.kind == Kind::kKeepSubnets) codec(type.subnets);
}

void RootClaimType::fields(RootClaimType& type, ScaleReader& codec) {
  type.kind = static_cast<Kind>(codec.read_tag(2));
  type.subnets.clear();
  if (type.kind == Kind::kKeepSubnets) codec(type.subnets);
}

void AccountAddress::fields(const AccountAddress& address, ScaleWriter& codec) {
  codec(std::uint8_t{0}, address.account);
}

void AccountAddress::fields(AccountAddress& address, ScaleReader& codec) {
  (void)codec.read_tag(0);
  codec(address.account);
}

CommitmentData CommitmentData::raw(ByteSpan bytes) {
  MUSTER_CHECK(bytes.size() <= kBigRawBytesMax, "commitment data too long");
  return {
      bytes.size() <= kRawBytesMax ? Kind::kRaw : Kind::kBigRaw, {bytes.begin(), bytes.end()}, 0};
}

void CommitmentData::fields(const CommitmentData& data, ScaleWriter& codec) {
  codec(tag_of(data));
  if (data.kind == Kind::kTimelocked || data.kind == Kind::kBigRaw)
    codec.write_compact(data.bytes.size());
  codec.append(data.bytes);
  if (data.kind == Kind::kTimelocked) codec(data.reveal_round);
}

void CommitmentData::fields(CommitmentData& data, ScaleReader& codec) {
  data = {};
  const std::uint8_t tag = codec.read_tag(kLastTag);
  if (tag == 0) return;
  if (tag <= kLastRawTag) {
    data.kind = Kind::kRaw;
    return assign(data.bytes, codec.take(tag - 1u));
  }
  data.kind = static_cast<Kind>(tag - kLastRawTag + 1);
  if (data.kind <= Kind::kSha3) return assign(data.bytes, codec.take(32));
  if (data.kind == Kind::kTimelocked) {
    read_bounded<kTimelockedBytesMax>(data.bytes, codec);
    codec(data.reveal_round);
  } else if (data.kind == Kind::kBigRaw) {
    read_bounded<kBigRawBytesMax>(data.bytes, codec);
  }
}

}  // namespace muster::chain
