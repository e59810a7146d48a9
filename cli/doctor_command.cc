// doctor: what of this machine muster can use, a line each, and why not.
#include <cstdio>

#include "cli/commands.h"
#include "compression/kernels.h"
#include "cuda/card_faults.h"
#include "cuda/gpu.h"
#include "trainer/kernels/kernels.h"

namespace muster::cli {
namespace {

void say(const char* thing, const std::string& what) {
  std::printf("%-14s %s\n", thing, what.c_str());
}

std::string gib_text(std::uint64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.1f GiB", static_cast<double>(bytes) / (1u << 30));
  return text;
}

void say_card(const gpu::Cards& cards, const gpu::CardInfo& card) {
  const std::string thing = "card " + std::to_string(card.index);
  say(thing.c_str(), card.name + ", compute capability " + std::to_string(card.capability_major) +
                         "." + std::to_string(card.capability_minor) + ", " +
                         std::to_string(card.multiprocessors) + " multiprocessors, " +
                         gib_text(card.memory_bytes) + " of memory, " + gib_text(card.free_bytes) +
                         " free");
  const auto opened = cards.open(card.index);
  if (!opened) say("", "cannot be used: " + opened.error().message);
}

void say_cards() {
  const auto loaded = gpu::load_cards();
  if (!loaded) return say("cuda library", "not there: " + loaded.error().message);
  const gpu::Cards& cards = **loaded;
  say("cuda library", "built with CUDA " + gpu::version_text(cards.runtime_version()));
  const int driver = cards.driver_version();
  say("driver", driver == 0 ? "none" : "supports CUDA " + gpu::version_text(driver));
  const auto list = cards.list();
  if (!list) return say("card", "none: " + list.error().message);
  for (const gpu::CardInfo& card : *list) say_card(cards, card);
  if (list->size() < 2) return;
  const auto group = cards.make_group_id();
  say("several cards", group ? "can train as one miner (--gpus)"
                             : "cannot train as one miner: " + group.error().message);
}

}  // namespace

void add_doctor(Command app) {
  const Command command =
      app.add_command("doctor", "What of this machine muster can use, and why not");
  command.footer("Example: muster doctor");
  command.action([](const std::atomic<bool>&) -> Result<int> {
    say("cpu kernels", std::string(compression::kernels().name));
    std::string training(trainer::available_kernels<float>().front()->name);
    if (const auto bf16 = trainer::available_kernels<trainer::Bf16>(); !bf16.empty())
      training += ", bf16 by " + std::string(bf16.front()->name);
    say("training", training);
    say_cards();
    return 0;
  });
}

}  // namespace muster::cli
