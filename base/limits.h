// Every bound on what comes from outside, with its reason. Checked before anything is allocated.
#pragma once

#include <cstddef>
#include <cstdint>

namespace muster::limits {

// One control message: a manifest with 256 miners and 64 validators' screens takes about 400 KB.
inline constexpr std::size_t kMessageBytesMax = 2u << 20;
// One frame of a blob: large enough to amortise a round trip, small enough to interleave.
inline constexpr std::size_t kFrameBytesMax = 256u << 10;
// One blob: a checkpoint of the largest model, θ and residual in fp32, takes 8.8 TB. A bound on
// what is read from one's own disk; what a peer may send is bounded by the round's format
// (state_bytes_max for a checkpoint).
inline constexpr std::uint64_t kBlobBytesMax = 16ull << 40;
// Frames in flight per transfer: bounds the sender's queue to 4 MiB per peer.
inline constexpr std::uint32_t kTransferCreditFrames = 16;
// Stretches of a blob, of at most kTransferCreditFrames frames, that one peer asks for in a second.
// Who replays rounds asks for a blob of every miner in each; their bytes have a bound of their own.
inline constexpr double kBlobGetsPerSecond = 400;
inline constexpr double kBlobGetsBurst = 800;
inline constexpr double kBlobServedBytesPerSecond = 256 << 20;
inline constexpr double kBlobServedBytesBurst = 512 << 20;
// Peers in one roster: a subnet has at most 256 uids.
inline constexpr std::size_t kRosterMax = 256;
// Segments in one blob: of up to 4 Mi parameters each, the two arrays of a checkpoint of the
// largest model, and as much again for what tensors that are no multiple of a block add. Lengths of
// this many take 8 MiB.
inline constexpr std::size_t kSegmentsMax = 1u << 20;
// Parameters of a model: 1.1e12, so that 10^12 fit. An index takes 40 bits, fp32 storage 4.4 TB;
// 32-bit counts hold no number of parameters.
inline constexpr std::uint64_t kParametersMax = 1ull << 40;
// Tensors in one layout.
inline constexpr std::size_t kTensorsMax = 65536;
// Evaluations that one screen may carry: every uid once for the last round, and for the rounds
// before it whose screens of this validator were not sealed.
inline constexpr std::size_t kEvaluationsMax = 4096;
// Rounds that evaluations can stay sealed.
inline constexpr std::size_t kSealedRoundsMax = 12;
// Assessments that one Screen may open: those of a run's last rounds, and some that earlier Screens
// left.
inline constexpr std::size_t kOpenedMax = 32;
// An assessment that a Screen carries for its own validator.
inline constexpr std::size_t kSealedCopyBytesMax = 64u << 10;
// A Screen with every evaluation and entry that it may have, in its envelope.
inline constexpr std::size_t kScreenBytesMax = (384u << 10) + kSealedCopyBytesMax;
// Evidence in one seal record: of each of 256 uids at most a pair of commits, keys or screens.
inline constexpr std::size_t kEvidenceMax = 3 * kRosterMax;
// Signed messages in one Dispute's proof: the attestations of 256 validators, and a round's own
// messages.
inline constexpr std::size_t kProofMessagesMax = kRosterMax + 8;
// One Dispute: four messages of a round with 256 miners.
inline constexpr std::size_t kDisputeBytesMax = 512u << 10;
// All Disputes of a run in the coordinator's archive.
inline constexpr std::size_t kDisputesBytesMax = 32u << 20;
// Text fields (names, reasons) in messages and files.
inline constexpr std::size_t kTextBytesMax = 4096;
// Messages that wait in one connection's queue, each way: small ones count by this, large ones by
// the next.
inline constexpr int kQueuedMessagesMax = 1024;
// Bytes that wait in one connection's queue, each way: one transfer's credit. A message that is
// begun goes on top.
inline constexpr int kQueuedBytesMax = 4 << 20;
// Connections of one listener in all: 256 uids with several nodes each, as many strangers again,
// and what the process's file descriptors allow.
inline constexpr int kConnectionsMax = 4096;
// … from one address: a whole subnet behind one, and its clients.
inline constexpr int kConnectionsPerAddressMax = 384;
// … of one key: its node, a restarted one, and commands beside it.
inline constexpr int kConnectionsPerKeyMax = 4;
// Connections accepted from one address in a second, eight times as many at once: a handshake takes
// 0.3 ms.
inline constexpr int kAcceptsPerSecondMax = 64;
// Bytes of one command of a handshake: the longest has 257 and a routing id.
inline constexpr int kHandshakeBytesMax = 2048;
// Messages and bytes that one peer brings in a second: rounds of a few milliseconds take 100
// messages, and a signature takes 50 µs to check, so that one peer takes at most a fortieth of a
// core.
inline constexpr double kPeerMessagesPerSecond = 500;
inline constexpr double kPeerMessagesBurst = 1000;
inline constexpr double kPeerBytesPerSecond = 8 << 20;
inline constexpr double kPeerBytesBurst = 16 << 20;
// The same on the port for blobs, where a miner's upload comes in frames.
inline constexpr double kBlobPeerBytesPerSecond = 128 << 20;
inline constexpr double kBlobPeerBytesBurst = 256 << 20;
// What the coordinator sends to one hotkey in answers, a replay of missed rounds among them.
inline constexpr double kReplyBytesPerSecond = 2 << 20;
inline constexpr double kReplyBytesBurst = 16 << 20;
// All keys of one address together, where everybody may come in: a whole subnet behind one, each
// node asking three times a second.
inline constexpr double kAddressMessagesPerSecond = 2000;
inline constexpr double kAddressMessagesBurst = 4000;
inline constexpr double kAddressBytesPerSecond = 16 << 20;
inline constexpr double kAddressBytesBurst = 32 << 20;
// Connections of one key where everybody may come in: nodes and commands that share it.
inline constexpr int kConnectionsPerFreeKeyMax = 8;
// A request to the ledger: an extrinsic and what goes around it.
inline constexpr std::size_t kLedgerRequestBytesMax = 128u << 10;
// File descriptors with which a node works: its databases, sockets and threads take about 50.
inline constexpr int kDescriptorsMin = 96;

}  // namespace muster::limits
