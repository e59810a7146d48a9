#include "cuda/llama/card_matmul.h"

#include <string>

namespace muster::gpu {
namespace {

constexpr std::uint64_t kWorkspaceBytes = 64u << 20;

Status checked(cublasStatus_t status, const char* what) {
  if (status == CUBLAS_STATUS_SUCCESS) return {};
  return Error{Errc::kIo,
               std::string(what) + " by cuBLASLt failed with status " + std::to_string(status)};
}

}  // namespace

// cuBLASLt's matrices are column after column: ours, row after row, are their transposes, so that
// products change sides: c^T = (b side) · (a side).
struct CardMatmul::Plan {
  const CublasLt& lt;
  cublasLtMatmulDesc_t description = nullptr;
  cublasLtMatrixLayout_t left = nullptr, right = nullptr, result = nullptr;
  cublasLtMatmulAlgo_t algorithm = {};
  bool adds = false;

  explicit Plan(const CublasLt& library) : lt(library) {}
  ~Plan() {
    if (result != nullptr) (void)lt.destroy_layout(result);
    if (right != nullptr) (void)lt.destroy_layout(right);
    if (left != nullptr) (void)lt.destroy_layout(left);
    if (description != nullptr) (void)lt.destroy_description(description);
  }

  Status describe(const ProductShape& shape) {
    const auto rows = static_cast<std::uint64_t>(shape.rows),
               out = static_cast<std::uint64_t>(shape.out),
               in = static_cast<std::uint64_t>(shape.in);
    const cudaDataType_t reads = shape.reads_bf16 ? CUDA_R_16BF : CUDA_R_32F;
    const cudaDataType_t writes = shape.writes_bf16 ? CUDA_R_16BF : CUDA_R_32F;
    MUSTER_TRY_STATUS(
        checked(lt.create_description(&description, CUBLAS_COMPUTE_32F, CUDA_R_32F), "a plan"));
    const auto turn = [&](cublasLtMatmulDescAttributes_t side) {
      const cublasOperation_t operation = CUBLAS_OP_T;
      return checked(lt.describe(description, side, &operation, sizeof(operation)), "a plan");
    };
    const auto layout = [&](cublasLtMatrixLayout_t& made, cudaDataType_t type, std::uint64_t row,
                            std::uint64_t count) {
      return checked(lt.create_layout(&made, type, row, count, static_cast<std::int64_t>(row)),
                     "a plan");
    };
    switch (shape.kind) {
      case ProductKind::kForward:  // yᵀ[out, rows] = w · xᵀ
        MUSTER_TRY_STATUS(turn(CUBLASLT_MATMUL_DESC_TRANSA));
        MUSTER_TRY_STATUS(layout(left, reads, in, out));
        MUSTER_TRY_STATUS(layout(right, reads, in, rows));
        return layout(result, writes, out, rows);
      case ProductKind::kBackward:  // dxᵀ[in, rows] = wᵀ · dyᵀ
        MUSTER_TRY_STATUS(layout(left, reads, in, out));
        MUSTER_TRY_STATUS(layout(right, reads, out, rows));
        return layout(result, writes, in, rows);
      case ProductKind::kWeightGradient:  // gᵀ[in, out] += xᵀ · dy
        adds = true;
        MUSTER_TRY_STATUS(turn(CUBLASLT_MATMUL_DESC_TRANSB));
        MUSTER_TRY_STATUS(layout(left, reads, in, rows));
        MUSTER_TRY_STATUS(layout(right, reads, out, rows));
        return layout(result, writes, in, out);
    }
    return {};
  }

  Status choose(cublasLtHandle_t handle) {
    cublasLtMatmulPreference_t preference = nullptr;
    MUSTER_TRY_STATUS(checked(lt.create_preference(&preference), "a plan"));
    const std::uint32_t joins = CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE;
    cublasLtMatmulHeuristicResult_t found = {};
    int count = 0;
    Status chosen = checked(lt.prefer(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES,
                                      &kWorkspaceBytes, sizeof(kWorkspaceBytes)),
                            "a plan");
    if (chosen)
      chosen = checked(
          lt.prefer(preference, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, &joins, sizeof(joins)),
          "a plan");
    if (chosen)
      chosen = checked(lt.choose(handle, description, left, right, result, result, preference, 1,
                                 &found, &count),
                       "choosing a product");
    (void)lt.destroy_preference(preference);
    if (chosen && count == 0) return Error{Errc::kIo, "cuBLASLt has no product of these sizes"};
    algorithm = found.algo;
    return chosen;
  }
};

Result<std::unique_ptr<CardMatmul>> CardMatmul::make(CardContext& card) {
  MUSTER_TRY(const CublasLt lt, load_cublas_lt());
  MUSTER_TRY_STATUS(card.enter());
  std::unique_ptr<CardMatmul> matmul(new CardMatmul(card, lt));
  MUSTER_TRY_STATUS(checked(lt.create(&matmul->handle_), "opening the card"));
  MUSTER_TRY(matmul->workspace_, card.allocate<std::uint8_t>(kWorkspaceBytes));
  return matmul;
}

CardMatmul::CardMatmul(CardContext& card, const CublasLt& lt) : card_(card), lt_(lt) {}

CardMatmul::~CardMatmul() {
  plans_.clear();
  if (handle_ != nullptr) (void)lt_.destroy(handle_);
}

Result<CardMatmul::Plan*> CardMatmul::plan_of(const ProductShape& shape) {
  auto& plan = plans_[shape];
  if (plan != nullptr) return plan.get();
  auto made = std::make_unique<Plan>(lt_);
  MUSTER_TRY_STATUS(made->describe(shape));
  MUSTER_TRY_STATUS(made->choose(handle_));
  plan = std::move(made);
  return plan.get();
}

Status CardMatmul::multiply(const ProductShape& shape, const void* a, const void* b, void* c) {
  MUSTER_TRY(Plan * plan, plan_of(shape));
  const float one = 1, base = plan->adds ? 1.0f : 0.0f;
  return checked(lt_.matmul(handle_, plan->description, &one, b, plan->left, a, plan->right, &base,
                            c, plan->result, c, plan->result, &plan->algorithm, workspace_.data(),
                            kWorkspaceBytes, card_.stream()),
                 "a product");
}

}  // namespace muster::gpu
