#!/usr/bin/env bash
# Fetches LibTorch for the trainer: three pinned wheels from PyPI, hash-checked, unpacked once.
#   cmake/fetch_libtorch.sh [FOLDER]        default: .deps/libtorch beside this checkout
# The CPU part of the CUDA build needs only libcudart and libcupti of the CUDA libraries (1.1 GB unpacked).
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
target=${1:-$root/.deps/libtorch}
stamp=$target/.complete-2.11.0

wheels=(
  "torch==2.11.0 0f68f4ac6d95d12e896c3b7a912b5871619542ec54d3649cf48cc1edd4dd2756"
  "nvidia-cuda-runtime==13.0.96 7f82250d7782aa23b6cfe765ecc7db554bd3c2870c43f3d1821f1d18aebf0548"
  "nvidia-cuda-cupti==13.0.85 4eb01c08e859bf924d222250d2e8f8b8ff6d3db4721288cf35d14252a4d933c8"
)

fail() { echo "fetch_libtorch: $*" >&2; exit 1; }

[ ! -e "$stamp" ] || exit 0
for tool in python3 unzip sha256sum; do
  command -v "$tool" >/dev/null || fail "$tool is missing; run: apt-get install python3-pip unzip coreutils"
done
python3 -m pip --version >/dev/null 2>&1 || fail "pip is missing; run: apt-get install python3-pip"

mkdir -p "$target"
free_mib=$(df -Pm "$target" | awk 'NR==2 {print $4}')
[ "$free_mib" -ge 3000 ] || fail "$target has $free_mib MiB free, 3000 are needed; free some or give another folder"

download=$(mktemp -d "$target/download.XXXXXX")
trap 'rm -rf "$download"' EXIT
for wheel in "${wheels[@]}"; do
  read -r requirement hash <<<"$wheel"
  echo "fetch_libtorch: $requirement"
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
    --implementation cp --python-version 3.12 \
    --platform manylinux_2_28_x86_64 --platform manylinux_2_25_x86_64 \
    --platform manylinux_2_17_x86_64 --platform manylinux2014_x86_64 \
    -d "$download" "$requirement" || fail "could not download $requirement; is the network up?"
  file=$(ls "$download"/*.whl)
  found=$(sha256sum "$file" | cut -d' ' -f1)
  [ "$found" = "$hash" ] || fail "$requirement has SHA-256 $found, expected $hash; not unpacked"
  wanted=()
  case $requirement in torch==*) wanted=('torch/lib/*' 'torch/include/*' 'torch-*') ;; esac
  unzip -q -o "$file" "${wanted[@]}" -d "$target" || fail "could not unpack $requirement into $target"
  rm "$file"
done
touch "$stamp"
echo "fetch_libtorch: LibTorch 2.11.0 is in $target"
