#include "cli/audit_source.h"

#include "base/limits.h"
#include "cli/machine.h"
#include "store/archive.h"
#include "store/bundle.h"
#include "store/file_blob_store.h"
#include "wire/codec.h"

namespace muster::cli {
namespace fs = std::filesystem;
namespace {

// θ and the residual, and as much again for the round.
constexpr std::uint64_t kBytesPerParameter = 16;
constexpr std::uint64_t kReleaseBytes = 4u << 20;
constexpr std::uint64_t kPageBytes = 4096;
constexpr std::size_t kRoundBlobsMax =
    limits::kRosterMax + 2;  // a payload of everybody, the record and the aggregate

class FolderSource final : public AuditSource {
 public:
  static Result<std::unique_ptr<AuditSource>> open(const fs::path& path) {
    auto source = std::make_unique<FolderSource>();
    source->folder_ = {path};
    MUSTER_TRY(source->params_, read_params(source->folder_));
    if (!fs::exists(source->folder_.archive()))
      return Error{
          Errc::kNotFound,
          source->folder_.archive().string() +
              ": no archive here; the folder of the run's coordinator has it, or a bundle"};
    MUSTER_TRY(source->blobs_, open_blobs(source->folder_));
    return std::unique_ptr<AuditSource>(std::move(source));
  }

  std::uint64_t rounds_claimed() const override {
    std::uint64_t rounds = 0;
    (void)store::read_archive(folder_.archive(), [&](ByteSpan message) -> Status {
      const auto envelope = wire::reread_envelope(message);
      rounds += envelope && is_a(*envelope, protocol::MessageType::kManifest);
      return {};
    });
    return rounds;
  }
  bool payloads_left_out() const override { return false; }
  Result<std::vector<float>> initial_theta() const override {
    return cli::initial_theta(folder_, params_);
  }
  protocol::BlobReader blobs() override { return blobs_; }

  Status walk(verify::Audit& audit, const std::function<Status()>& after) override {
    std::optional<Error> stopped;
    const Status read = store::read_archive(folder_.archive(), [&](ByteSpan message) -> Status {
      auto taken = audit.take(message);
      Status status = taken ? after() : Status(std::move(taken).error());
      if (!status) stopped = status.error();
      if (status && !*taken) stopped.emplace(Error{Errc::kCancelled, ""});
      return stopped ? Status(*stopped) : Status();
    });
    if (stopped) return stopped->message.empty() ? Status() : Status(*stopped);
    // A last entry that is cut off is how a run looks that is being written, or was when the power
    // went.
    if (!read && read.error().code != Errc::kTruncated) {
      audit.damaged(read.error());
    } else {
      audit.whole();
    }
    return {};
  }

 private:
  RunFolder folder_;
  protocol::BlobReader blobs_;
};

class BundleSource final : public AuditSource {
 public:
  static Result<std::unique_ptr<AuditSource>> open(const fs::path& path) {
    auto source = std::make_unique<BundleSource>();
    MUSTER_TRY(source->file_, MappedFile::open(path, MappedFile::Access::kRead));
    source->file_.advise(MappedFile::Pattern::kSequential);
    auto reader = store::BundleReader::open(source->file_.bytes());
    if (!reader) return std::move(reader).error().within(path.string());
    source->reader_.emplace(*reader);
    if (Status begun = source->read_beginning(); !begun)
      return std::move(begun).error().within(path.string());
    return std::unique_ptr<AuditSource>(std::move(source));
  }

  std::uint64_t rounds_claimed() const override { return reader_->rounds_claimed(); }
  bool payloads_left_out() const override { return reader_->payloads_left_out(); }

  Result<std::vector<float>> initial_theta() const override {
    std::vector<float> theta(state::layout_of(params_.model).parameters());
    if (model_.empty()) {
      state::initial_parameters(params_.model, params_.model_seed, theta);
    } else {
      std::memcpy(theta.data(), model_.data(), model_.size());
    }
    return theta;
  }

  protocol::BlobReader blobs() override {
    return [this](const Hash& id) -> Result<Bytes> {
      const auto found = blobs_.find(id);
      if (found == blobs_.end()) return Error{Errc::kNotFound, "blob " + id.hex()};
      return Bytes(found->second.begin(), found->second.end());
    };
  }

  Status walk(verify::Audit& audit, const std::function<Status()>& after) override {
    for (std::optional<store::BundleEntry> entry = std::exchange(first_, {});; entry.reset()) {
      if (!entry) {
        auto next = reader_->next();
        if (!next) {
          audit.damaged(next.error());
          return {};
        }
        if (!*next) {
          audit.whole();
          return {};
        }
        entry = **next;
      }
      switch (entry->kind) {
        case store::BundleEntryKind::kBlob:
          if (blobs_.size() >= kRoundBlobsMax) {
            audit.damaged({Errc::kTooLarge, "audit bundle: more blobs than a round can have"});
            return {};
          }
          blobs_[entry->id] = entry->content;
          break;
        case store::BundleEntryKind::kMessage: {
          const auto round = audit.head().round();
          MUSTER_TRY(const bool goes_on, audit.take(entry->content));
          MUSTER_TRY_STATUS(after());
          if (!goes_on) return {};
          if (round != audit.head().round()) release();
          break;
        }
        default:
          audit.damaged({Errc::kMalformed,
                         "audit bundle: " + std::string(name_of(entry->kind)) + " in its midst"});
          return {};
      }
    }
  }

 private:
  Status read_beginning() {
    MUSTER_TRY(const auto first, reader_->next());
    if (!first || first->kind != store::BundleEntryKind::kParams)
      return Error{Errc::kMalformed, "audit bundle: it does not begin with parameters"};
    MUSTER_TRY(params_, wire::decode<protocol::ProtocolParams>(first->content, "parameters"));
    MUSTER_TRY_STATUS(protocol::validate(params_));
    const std::uint64_t parameters = state::parameter_count(params_.model);
    if (parameters > available_memory() / kBytesPerParameter)
      return Error{Errc::kTooLarge,
                   "its model has " + std::to_string(parameters) +
                       " parameters, for which this machine has too little memory"};
    MUSTER_TRY(auto second, reader_->next());
    if (second && second->kind == store::BundleEntryKind::kInitialModel) {
      if (second->content.size() != parameters * sizeof(float))
        return Error{Errc::kMalformed,
                     "audit bundle: an initial model of another size than the parameters say"};
      model_ = second->content;
    } else {
      first_ = second;
    }
    return {};
  }

  // The round is done: its blobs, and the pages of the file that it stood on, are not needed any
  // more.
  void release() {
    blobs_.clear();
    const std::uint64_t end = reader_->position() / kPageBytes * kPageBytes;
    if (end - released_ < kReleaseBytes) return;
    file_.release(file_.bytes().subspan(released_, end - released_));
    released_ = end;
  }

  MappedFile file_;
  std::optional<store::BundleReader> reader_;
  std::optional<store::BundleEntry> first_;  // read ahead
  ByteSpan model_;
  std::map<Hash, ByteSpan> blobs_;  // of the round being read
  std::uint64_t released_ = 0;
};

}  // namespace

Result<std::unique_ptr<AuditSource>> AuditSource::open(const fs::path& path) {
  std::error_code error;
  return fs::is_directory(path, error) ? FolderSource::open(path) : BundleSource::open(path);
}

}  // namespace muster::cli
