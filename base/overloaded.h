// Overloaded: one visitor from several lambdas, for std::visit.
#pragma once

namespace muster {

template <class... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};
template <class... Handlers>
Overloaded(Handlers...) -> Overloaded<Handlers...>;

}  // namespace muster
