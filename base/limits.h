// Every bound on what comes from outside, with its reason. Checked before anything is allocated.
#pragma once

#include <cstddef>
#include <cstdint>

namespace muster::limits {

// One control message: a manifest with 256 miners and 64 validators' screens takes about 400 KB.
inline constexpr std::size_t kMessageBytesMax = 2u << 20;
// One frame of a blob: large enough to amortise a round trip, small enough to interleave.
inline constexpr std::size_t kFrameBytesMax = 256u << 10;
// One blob: a dense fp32 checkpoint segment file or a payload of a 10 B parameter model.
inline constexpr std::uint64_t kBlobBytesMax = 64ull << 30;
// Frames in flight per transfer: bounds the sender's queue to 4 MiB per peer.
inline constexpr std::uint32_t kTransferCreditFrames = 16;
// Peers in one roster: a subnet has at most 256 uids.
inline constexpr std::size_t kRosterMax = 256;
// Segments in one blob: 4 Mi parameters each, so this allows 68 B parameters.
inline constexpr std::size_t kSegmentsMax = 16384;
// Parameters of a model: u40 indices would still fit; fp32 storage of this is 272 GB.
inline constexpr std::uint64_t kParametersMax = 68ull << 30;
// Tensors in one layout.
inline constexpr std::size_t kTensorsMax = 65536;
// Evaluations that one screen may carry: every uid once for the last round, and for the rounds before it
// whose screens of this validator were not sealed.
inline constexpr std::size_t kEvaluationsMax = 4096;
// A Screen with every evaluation and entry that it may have, in its envelope.
inline constexpr std::size_t kScreenBytesMax = 128u << 10;
// Evidence in one seal record: of each of 256 uids at most a pair of commits, keys or screens.
inline constexpr std::size_t kEvidenceMax = 3 * kRosterMax;
// Signed messages in one Dispute's proof: the attestations of 256 validators, and a round's own messages.
inline constexpr std::size_t kProofMessagesMax = kRosterMax + 8;
// One Dispute: four messages of a round with 256 miners.
inline constexpr std::size_t kDisputeBytesMax = 512u << 10;
// Text fields (names, reasons) in messages and files.
inline constexpr std::size_t kTextBytesMax = 4096;
// Messages queued per peer before the transport drops the peer.
inline constexpr int kQueuedMessagesMax = 1024;

}  // namespace muster::limits
