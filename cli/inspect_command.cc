// muster inspect: what is in a payload, an aggregate or a state file.
#include <cinttypes>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/key.h"
#include "base/limits.h"
#include "cli/commands.h"
#include "cli/inspection.h"
#include "cli/json_text.h"
#include "cli/run_folder.h"
#include "cli/svg_chart.h"
#include "compression/segmented_blob.h"
#include "protocol/sealed_payload.h"
#include "protocol/signed_message.h"
#include "state/checkpoint.h"
#include "store/archive.h"
#include "store/file_blob_store.h"
#include "trainer/rounds/state_file.h"

namespace muster::cli {
namespace {

using compression::Payload;
using nlohmann::ordered_json;

struct InspectOptions {
  std::string file, run = "runs/quickstart", html, residual;
  std::optional<std::uint64_t> round;  // instead of a file
  std::string miner;                   // hotkey (hex, or its start) or a name in the run's keys
  bool as_json = false;
};

// ---- finding a blob, and what it is

struct Provenance {
  Hash blob;
  Round round;
  PublicKey hotkey;              // zero for an aggregate
  std::optional<CipherKey> key;  // once revealed
};

// Goes through a run's archive for the payload or aggregate that `wanted` describes.
class ArchiveSearch {
 public:
  using Wanted = std::function<bool(const Provenance&)>;
  explicit ArchiveSearch(Wanted wanted) : wanted_(std::move(wanted)) {}

  Status take(ByteSpan message) {
    MUSTER_TRY(const wire::Envelope envelope, wire::open_envelope(message));
    if (protocol::is_a(envelope, protocol::MessageType::kCommitsClosed)) {
      MUSTER_TRY(const auto closed, protocol::read_body<protocol::CommitsClosed>(envelope));
      for (const Bytes& bytes : closed.commits) {
        MUSTER_TRY(const wire::Envelope commit, wire::open_envelope(bytes));
        MUSTER_TRY(const auto body, protocol::read_body<protocol::Commit>(commit));
        consider({body.payload_id, commit.round, commit.sender, {}});
      }
    } else if (protocol::is_a(envelope, protocol::MessageType::kRevealsClosed) && found_ &&
               envelope.round == found_->round) {
      MUSTER_TRY(const auto closed, protocol::read_body<protocol::RevealsClosed>(envelope));
      for (const Bytes& bytes : closed.reveals) {
        MUSTER_TRY(const wire::Envelope reveal, wire::open_envelope(bytes));
        MUSTER_TRY(const auto body, protocol::read_body<protocol::Reveal>(reveal));
        if (reveal.sender == found_->hotkey) found_->key = body.key;
      }
    } else if (protocol::is_a(envelope, protocol::MessageType::kManifest)) {
      MUSTER_TRY(const auto manifest, protocol::read_body<protocol::Manifest>(envelope));
      if (!manifest.null_round) consider({manifest.aggregate_id, envelope.round, PublicKey{}, {}});
    }
    return {};
  }
  [[nodiscard]] const std::optional<Provenance>& found() const { return found_; }

 private:
  void consider(const Provenance& provenance) {
    if (wanted_(provenance)) found_ = provenance;
  }

  Wanted wanted_;
  std::optional<Provenance> found_;
};

// The hotkey in hex, or the start of it.
Result<std::string> hotkey_of(const RunFolder& folder, const std::string& miner) {
  if (!std::filesystem::is_regular_file(folder.key_file(miner))) return miner;
  MUSTER_TRY(const SigningKey key, read_key_file(folder.key_file(miner)));
  return key.public_key().hex();
}

struct Found {
  Provenance provenance;
  Bytes blob;
};

Result<Found> find_blob(const InspectOptions& options, const RunFolder& folder,
                        bool want_aggregate) {
  const std::string kind = want_aggregate ? "aggregate" : "payload";
  const bool by_round = options.round.has_value();
  if (!by_round && options.file.empty())
    return Error{Errc::kInvalidArgument, "which " + kind + "? Give its file, or --round" +
                                             (want_aggregate ? "" : " and --miner")};
  if (by_round && options.miner.empty() && !want_aggregate)
    return Error{Errc::kInvalidArgument, "--round needs --miner too"};
  Bytes blob;
  Hash id;
  if (!options.file.empty()) {
    MUSTER_TRY(blob, read_file(options.file, limits::kBlobBytesMax));
    auto own_id = compression::blob_id(blob);
    if (!own_id) return std::move(own_id).error().within(options.file);
    id = *own_id;
  }
  MUSTER_TRY(const std::string hotkey, hotkey_of(folder, options.miner));
  ArchiveSearch search([&](const Provenance& p) {
    if (!by_round) return p.blob == id;
    return p.round.value == *options.round &&
           (want_aggregate ? p.hotkey == PublicKey{} : p.hotkey.hex().starts_with(hotkey));
  });
  MUSTER_TRY_STATUS(
      store::read_archive(folder.archive(), [&](ByteSpan m) { return search.take(m); }));
  if (!search.found() && by_round)
    return Error{Errc::kNotFound, "no such " + kind + " in the archive of " + options.run +
                                      "; name another run with --run"};
  if (!search.found())
    return Error{Errc::kNotFound,
                 options.file + ": no round of " + options.run + " has a blob of its id, " +
                     id.brief() + "…: it is of another run (--run), or damaged; --round" +
                     (want_aggregate ? "" : " and --miner") + " of the whole one show where"};
  const Provenance& found = *search.found();
  if ((found.hotkey == PublicKey{}) != want_aggregate)
    return Error{Errc::kInvalidArgument, options.file + " is " +
                                             (want_aggregate ? "a payload" : "an aggregate") +
                                             "; inspect it as one"};
  if (options.file.empty()) {
    MUSTER_TRY(const protocol::BlobReader blobs, open_blobs(folder));
    MUSTER_TRY(blob, blobs(found.blob));
  }
  return Found{found, std::move(blob)};
}

struct NamedPayload {
  std::string what;
  Payload payload;
};

// Errors: those of decoding; kBadHash (a damaged blob that can be decoded all the same).
Status check_content(const InspectOptions& options, const compression::Layout& layout,
                     const Found& found, const Payload& payload) {
  if (options.file.empty() || !options.round) return {};  // found by its id
  if (auto summary = compression::summarise(layout, payload); !summary)
    return std::move(summary).error().within(options.file);
  MUSTER_TRY(const Hash id, compression::blob_id(found.blob));
  if (id == found.provenance.blob) return {};
  return Error{Errc::kBadHash, options.file + ": its id is " + id.brief() + "…, the round's is " +
                                   found.provenance.blob.brief() +
                                   "…; every segment decodes, so values or indices are changed"};
}

Result<NamedPayload> read_payload(const InspectOptions& options, const RunFolder& folder,
                                  const protocol::ProtocolParams& params,
                                  const compression::Layout& layout, bool want_aggregate) {
  MUSTER_TRY(const Found found, find_blob(options, folder, want_aggregate));
  const auto& [id, round, hotkey, key] = found.provenance;
  const Hash run_id = protocol::run_id_of(params);
  const std::string in_round = "round " + std::to_string(round.value);
  if (want_aggregate) {
    MUSTER_TRY(
        Payload payload,
        protocol::read_aggregate(run_id, round, layout, params.downlink_format(round), found.blob));
    MUSTER_TRY_STATUS(check_content(options, layout, found, payload));
    return NamedPayload{"aggregate of " + in_round, std::move(payload)};
  }
  if (!key)
    return Error{Errc::kNotFound,
                 "payload " + id.brief() + ": sealed, and no key was revealed in " + in_round};
  MUSTER_TRY(Payload payload, protocol::open_payload({run_id, round, hotkey}, *key, layout,
                                                     params.uplink_format(round), found.blob));
  MUSTER_TRY_STATUS(check_content(options, layout, found, payload));
  return NamedPayload{"payload of " + hotkey.hex().substr(0, 16) + ", " + in_round,
                      std::move(payload)};
}

// ---- output

std::string number(double x) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.4g", x);
  return text;
}

ordered_json json_of(const std::vector<TensorRow>& tensors) {
  ordered_json rows = ordered_json::array();
  for (const TensorRow& row : tensors)
    rows.push_back({{"name", row.name},
                    {"shape", row.shape},
                    {"parameters", row.parameters},
                    {"entries", row.entries},
                    {"norm", row.norm},
                    {"largest", row.largest}});
  return rows;
}

ordered_json json_of(const Octaves& octaves) {
  return {{"first_exponent", octaves.first}, {"counts", octaves.counts}};
}

void print(const std::vector<TensorRow>& tensors) {
  std::printf("\n  %-44s %-14s %10s  %8s  %10s  %10s\n", "tensor", "shape", "entries", "share",
              "norm", "largest");
  for (const TensorRow& row : tensors)
    std::printf("  %-44s %-14s %10" PRIu64 "  %7.3f%%  %10.4g  %10.4g\n", row.name.c_str(),
                row.shape.c_str(), row.entries,
                100.0 * static_cast<double>(row.entries) / static_cast<double>(row.parameters),
                row.norm, row.largest);
}

void print(const Octaves& octaves) {
  std::uint64_t most = 1;
  for (std::uint64_t count : octaves.counts) most = std::max(most, count);
  std::printf("\n  magnitudes\n");
  for (std::size_t i = 0; i < octaves.counts.size(); ++i) {
    const std::uint64_t count = octaves.counts[i];
    if (count * 1000 < most) continue;  // shorter than a tenth of a mark
    std::printf("  from 2^%-4d %12" PRIu64 "  %s\n", octaves.first + static_cast<int>(i), count,
                std::string(static_cast<std::size_t>(count * 50 / most), '#').c_str());
  }
}

std::string charts(const std::string& prefix, const std::vector<TensorRow>& tensors,
                   const Octaves& octaves, bool with_share) {
  std::vector<Bar> shares, norms, magnitudes;
  for (const TensorRow& row : tensors) {
    const double share = static_cast<double>(row.entries) / static_cast<double>(row.parameters);
    shares.push_back({row.name, share, number(100 * share) + " %"});
    norms.push_back({row.name, row.norm, number(row.norm)});
  }
  for (std::size_t i = 0; i < octaves.counts.size(); ++i)
    magnitudes.push_back({"from 2^" + std::to_string(octaves.first + static_cast<int>(i)),
                          static_cast<double>(octaves.counts[i]),
                          std::to_string(octaves.counts[i])});
  return (with_share ? bar_chart(prefix + "share kept, by tensor", shares) : std::string()) +
         bar_chart(prefix + "norm, by tensor", norms) +
         bar_chart(prefix + "magnitudes, by power of two", magnitudes);
}

Status write_html(const std::string& path, const std::string& title, const std::string& body) {
  return path.empty() ? Status() : replace_file(path, bytes_of(html_page(title, body)));
}

Result<int> inspect_coded(const InspectOptions& options, bool want_aggregate) {
  const RunFolder folder{options.run};
  MUSTER_TRY(const auto params, read_params(folder));
  const auto layout = state::layout_of(params.model);
  MUSTER_TRY(const auto named, read_payload(options, folder, params, layout, want_aggregate));
  MUSTER_TRY(const auto seen, inspect_payload(layout, named.payload));
  const auto parameters = static_cast<double>(seen.parameters);
  const std::string values(compression::name_of(seen.format.values));
  if (options.as_json) {
    std::printf("%s\n", json_text(ordered_json{{"what", named.what},
                                               {"parameters", seen.parameters},
                                               {"keep", seen.format.keep},
                                               {"memory_keep", seen.format.memory_keep},
                                               {"values", values},
                                               {"entries", seen.entries},
                                               {"bytes", seen.bytes},
                                               {"bytes_per_parameter",
                                                static_cast<double>(seen.bytes) / parameters},
                                               {"bits_per_index", seen.bits_per_index},
                                               {"bound_bits_per_index", seen.bound_bits_per_index},
                                               {"bits_per_value", seen.bits_per_value},
                                               {"norm", seen.norm},
                                               {"tensors", json_of(seen.tensors)},
                                               {"octaves", json_of(seen.octaves)}},
                                  2)
                            .c_str());
  } else {
    std::printf("%s\n  %" PRIu64 " parameters, %" PRIu64 " blocks (%" PRIu64
                " full), keep %u of 4096, %u of them memory, %s\n",
                named.what.c_str(), seen.parameters, seen.blocks, seen.full_blocks,
                seen.format.keep, seen.format.memory_keep, values.c_str());
    std::printf("  %" PRIu64 " entries (%.3f %%), %" PRIu64
                " bytes, %.5f bytes per parameter, norm %.6g\n",
                seen.entries, 100 * static_cast<double>(seen.entries) / parameters, seen.bytes,
                static_cast<double>(seen.bytes) / parameters, seen.norm);
    std::printf(
        "  %.3f bits per index (no code of these sets averages below %.3f), %.3f per value\n",
        seen.bits_per_index, seen.bound_bits_per_index, seen.bits_per_value);
    print(seen.tensors);
    print(seen.octaves);
  }
  MUSTER_TRY_STATUS(
      write_html(options.html, named.what, charts("", seen.tensors, seen.octaves, true)));
  return 0;
}

struct NamedState {
  std::string what;
  std::vector<std::pair<std::string, std::vector<float>>> arrays;
  std::vector<float> residual;
};

Result<NamedState> read_state(const std::string& path, const compression::Layout& layout) {
  MUSTER_TRY(const Bytes file, read_file(path, limits::kBlobBytesMax));
  constexpr std::string_view kTrainer = "MUSTERTR";
  if (file.size() >= kTrainer.size() &&
      std::equal(kTrainer.begin(), kTrainer.end(), file.begin())) {
    MUSTER_TRY(const auto state, trainer::StateFile::open(path, layout));
    const auto copy = [](std::span<const float> values) {
      return std::vector<float>(values.begin(), values.end());
    };
    NamedState named{
        "miner's state after " + std::to_string(state.head().optimizer_steps) + " inner steps",
        {{"θ", copy(state.theta())}, {"error feedback", copy(state.residual())}},
        copy(state.residual())};
    for (std::size_t i = 0; i < state.head().optimizer.size(); ++i)
      named.arrays.emplace_back(state.head().optimizer[i].name, copy(state.optimizer(i)));
    return named;
  }
  auto checkpoint = state::read_checkpoint(path, layout);
  if (!checkpoint)
    return std::move(checkpoint).error().within("neither a miner's trainer.state nor a checkpoint");
  return NamedState{"checkpoint",
                    {{"θ", std::move(checkpoint->theta)},
                     {"downlink error feedback", checkpoint->downlink_residual}},
                    checkpoint->downlink_residual};
}

// Makes of a miner's error feedback after a round the buffer that its payload was cut from.
Status put_back(InspectOptions options, const protocol::ProtocolParams& params,
                const compression::Layout& layout, std::vector<float>& residual) {
  options.file.clear();
  MUSTER_TRY(const auto named,
             read_payload(options, RunFolder{options.run}, params, layout, false));
  MUSTER_TRY(const auto sent, compression::decode(layout, named.payload));
  for (float& value : residual) value /= params.compression.error_feedback_decay;
  for (std::size_t i = 0; i < sent.indices.size(); ++i) residual[sent.indices[i]] += sent.values[i];
  return {};
}

Result<int> inspect_state(const InspectOptions& options) {
  MUSTER_TRY(const auto params, read_params(RunFolder{options.run}));
  const auto layout = state::layout_of(params.model);
  MUSTER_TRY(const auto named, read_state(options.file, layout));
  ordered_json json{{"what", named.what}, {"parameters", layout.parameters()}};
  std::string body;
  if (!options.as_json) std::printf("%s\n", named.what.c_str());
  for (const auto& [name, values] : named.arrays) {
    const ArrayInspection seen = inspect_array(layout, name, values);
    if (options.as_json) {
      json["arrays"].push_back({{"name", name},
                                {"norm", seen.norm},
                                {"tensors", json_of(seen.tensors)},
                                {"octaves", json_of(seen.octaves)}});
    } else {
      std::printf("\n%s: %" PRIu64 " numbers, norm %.6g\n", name.c_str(), layout.parameters(),
                  seen.norm);
      print(seen.tensors);
      print(seen.octaves);
    }
    body += charts(name + ": ", seen.tensors, seen.octaves, false);
  }
  if (options.as_json) std::printf("%s\n", json_text(json, 2).c_str());
  if (!options.residual.empty()) {
    std::vector<float> residual = named.residual;
    if (options.round) MUSTER_TRY_STATUS(put_back(options, params, layout, residual));
    MUSTER_TRY_STATUS(replace_file(options.residual, bytes_of(std::span<const float>(residual))));
  }
  MUSTER_TRY_STATUS(write_html(options.html, named.what, body));
  return 0;
}

}  // namespace

void add_inspect(Command app) {
  const Command command =
      app.add_command("inspect", "Show what is in a payload, an aggregate or a state file");
  command.require_command();
  auto add = [&](const char* name, const char* text, const std::string& example,
                 std::function<Result<int>(const InspectOptions&)> run) {
    auto options = std::make_shared<InspectOptions>();
    const Command kind = command.add_command(name, text);
    const Option file = kind.add_option("file", options->file, "The file");
    if (std::string_view(name) == "state") {
      file.required();
      kind.add_option("--residual", options->residual,
                      "Also write the error feedback here, as raw fp32");
      kind.add_option("--round", options->round,
                      "… with what the payload of this round, its last, took out of it put back");
    } else {
      kind.add_option("--round", options->round,
                      "Instead of a file: of this round; with one: what the file should be");
    }
    if (std::string_view(name) != "aggregate")
      kind.add_option("--miner", options->miner,
                      "… and this hotkey (hex or its start), or name of a key in the run");
    kind.add_option("--run", options->run,
                    "Folder of its run: the model, and the keys that open it")
        .show_default();
    kind.add_option("--html", options->html, "Also write plots to this file");
    kind.add_flag("--json", options->as_json, "For scripts");
    kind.footer("Example: muster inspect " + example);
    kind.action([options, run](const std::atomic<bool>&) { return run(*options); });
  };
  add("payload", "A miner's payload, once its key is revealed",
      "payload --round 23 --miner miner-1 --html payload.html",
      [](const InspectOptions& o) { return inspect_coded(o, false); });
  add("aggregate", "A round's aggregate", "aggregate --round 23",
      [](const InspectOptions& o) { return inspect_coded(o, true); });
  add("state", "A checkpoint, or a miner's trainer.state",
      "state runs/quickstart/nodes/miner-1/trainer.state --residual ef.f32", inspect_state);
}

}  // namespace muster::cli
