// What it costs and brings to train as several processes: tokens per second and memory per rank,
// for one to four ranks, with the parameters on every rank or shared out. Ranks are processes of
// this machine; each has the threads that are asked for, so that two ranks of one thread stand
// beside one rank of two.
//
//   bench/run.sh ranks [--json FILE] [-- --model small|124m] [--device cpu|cuda]      cuda: one to
//   all cards
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>
#include <string>

#include "base/prng.h"
#include "bench/bench_size.h"
#include "bench/measure.h"
#include "trainer/data/token_file.h"
#include "trainer/ranks/sharded_inner_loop.h"

namespace muster::bench {
namespace {

struct Setting {
  unsigned ranks, threads;
  bool shards_parameters;
};

class ForkedRank final : public trainer::RankProcess {
 public:
  explicit ForkedRank(pid_t pid) : pid_(pid) {}
  ~ForkedRank() override {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  std::optional<std::string> ended() override { return std::nullopt; }
  int pid() const override { return pid_; }

 private:
  pid_t pid_;
};

// Largest resident size of a process, MiB.
double peak_mib(int pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  std::string word;
  double kib = 0;
  while (status >> word)
    if (word == "VmHWM:") status >> kib;
  return kib / 1024;
}

trainer::TrainerConfig config_of(const std::string& model, const std::filesystem::path& data) {
  trainer::TrainerConfig config;
  config.model = {.d_model = 384,
                  .layers = 6,
                  .heads = 6,
                  .kv_heads = 6,
                  .d_ff = 1024,
                  .context = 256,
                  .vocab = 32768,
                  .tied = true};
  config.batch = 8;
  if (model == "124m") {
    config.model = {.d_model = 768,
                    .layers = 12,
                    .heads = 12,
                    .kv_heads = 12,
                    .d_ff = 2048,
                    .context = 512,
                    .vocab = 50304,
                    .tied = true};
    config.batch = 4;
  }
  if (small()) {
    config.model = {.d_model = 32,
                    .layers = 2,
                    .heads = 2,
                    .kv_heads = 2,
                    .d_ff = 64,
                    .context = 32,
                    .vocab = 256,
                    .tied = true};
    config.batch = 4;
  }
  config.train_data = data;
  Prng random(1);
  Bytes bytes((config.model.context + std::size_t{1}) * 256);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random.below(256));
  MUSTER_CHECK(trainer::write_byte_tokens(data, bytes).has_value(), "bench data");
  return config;
}

nlohmann::ordered_json measure(trainer::TrainerConfig config, const Setting& setting,
                               const std::filesystem::path& folder) {
  config.threads = setting.threads;
  config.shards_parameters = setting.shards_parameters;
  const auto layout = state::layout_of(config.model);
  std::vector<float> theta(layout.parameters());
  state::initial_parameters(config.model, 1, theta);
  std::vector<int> pids;
  auto loop =
      trainer::make_sharded_inner_loop(
          config, theta,
          {.size = setting.ranks,
           .folder = folder / "ranks",
           .start = [&](trainer::RankSeat seat) -> Result<std::unique_ptr<trainer::RankProcess>> {
             const pid_t pid = ::fork();
             if (pid == 0) {
               const int inherited = seat.channel;
               seat.channel = ::dup(inherited);
               seat.theta = ::dup(seat.theta);
               ::close(inherited);
               theta = {};
               std::ofstream("/proc/self/clear_refs")
                   << 5;  // the peak counts from here: what a process of its own has
               ::_exit(trainer::run_rank(config, seat) ? 0 : 1);
             }
             pids.push_back(pid);
             return std::unique_ptr<trainer::RankProcess>(std::make_unique<ForkedRank>(pid));
           },
           .note = [](const std::string&) {}})
          .value();
  theta = {};
  const std::uint32_t steps = small() ? 2 : 6;
  protocol::TrainTask task{Round{0}, std::vector<std::uint64_t>(steps * config.batch), steps};
  std::iota(task.sequences.begin(), task.sequences.end(), 0u);
  const std::atomic<bool> never{false};
  double loss = 0;
  const auto round = [&] {
    loss = loop->train(task, never, [](std::uint32_t) {}).value().mean_loss;
    MUSTER_CHECK(!loop->encode({64, compression::ValueFormat::kSign}).value().segments.empty(),
                 "a payload");
    loop->settle(protocol::Settlement::kDelivered);
  };
  round();  // buffers are made
  const double time = seconds(round, small() ? 1 : 3);
  double most = 0;
  for (const int pid : pids) most = std::max(most, peak_mib(pid));
  const double tokens = static_cast<double>(steps) * config.batch * config.model.context / time;
  std::printf("%5u %8u  %-10s %12.0f %10.0f %10.4f\n", setting.ranks, setting.threads,
              setting.ranks == 1          ? "alone"
              : setting.shards_parameters ? "shared out"
                                          : "on each",
              tokens, most, loss);
  std::fflush(stdout);
  return {{"ranks", setting.ranks},
          {"threads", setting.threads},
          {"shards_parameters", setting.shards_parameters},
          {"tokens_per_second", tokens},
          {"peak_mib_per_rank", most},
          {"loss", loss}};
}

// On cards as many ranks as there are cards, in steps of two times.
std::vector<Setting> settings(const trainer::TrainerConfig& config) {
  if (config.device == trainer::DeviceChoice::kCpu)
    return {{1, 1, false}, {1, 2, false}, {2, 1, false}, {2, 1, true}, {4, 1, false}, {4, 1, true}};
  const auto cards = gpu::load_cards(MUSTER_LIBRARY_DIR);
  const auto found = cards ? (*cards)->list() : Result<std::vector<gpu::CardInfo>>(cards.error());
  if (!found) {
    std::printf("no cards: %s\n", found.error().message.c_str());
    return {};
  }
  std::vector<Setting> all{{1, 1, false}};
  for (unsigned ranks = 2; ranks <= std::min<std::size_t>(found->size(), config.batch); ranks *= 2)
    for (const bool shards : {false, true}) all.push_back({ranks, 1, shards});
  return all;
}

int run(int argc, char** argv) {
  std::string model = "small", device = "cpu", json;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::string(argv[i]) == "--model") model = argv[i + 1];
    if (std::string(argv[i]) == "--device") device = argv[i + 1];
    if (std::string(argv[i]) == "--json") json = argv[i + 1];
  }
  const auto folder =
      std::filesystem::temp_directory_path() / ("muster_bench_ranks_" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  auto config = config_of(model, folder / "data.bin");
  config.device = device == "cuda" ? trainer::DeviceChoice::kCuda : trainer::DeviceChoice::kCpu;
  config.compute.libraries = MUSTER_LIBRARY_DIR;
  std::printf(
      "%llu parameters, batches of %u x %u tokens, a round of inner steps and its payload; memory: "
      "the largest rank's\n",
      static_cast<unsigned long long>(state::layout_of(config.model).parameters()), config.batch,
      config.model.context);
  std::printf("%5s %8s  %-10s %12s %10s %10s\n", "ranks", "threads", "parameters", "tokens/s",
              "peak MiB", "loss");
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const Setting& setting : settings(config)) rows.push_back(measure(config, setting, folder));
  std::filesystem::remove_all(folder);
  if (!json.empty()) std::ofstream(json) << rows.dump(1) << "\n";
  return 0;
}

}  // namespace
}  // namespace muster::bench

int main(int argc, char** argv) { return muster::bench::run(argc, argv); }
