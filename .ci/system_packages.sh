#!/bin/sh
# Sees to it that compilers and emulators are there: `.ci/system_packages.sh demo` or `... test`.
# Installs what is missing on Debian and Ubuntu when run as root; elsewhere says what to install and fails.
set -eu

missing=""
packages=""

# need COMMAND PACKAGES...: these Debian packages bring what COMMAND checks.
need() {
    check=$1
    shift
    if ! sh -c "$check" >/dev/null 2>&1; then
        missing="$missing\n  $check"
        packages="$packages $*"
    fi
}

has() { echo "command -v $1"; }

python=${PYTHON:-python3}
if ! command -v "$python" >/dev/null 2>&1; then
    need "$(has "$python")" python3 python3-venv
else
    need "$python -c 'import ensurepip, venv'" python3-venv
fi
need "echo '#include <stdlib.h>' | cc -E -" gcc libc6-dev
need "$(has arm-none-eabi-gcc)" gcc-arm-none-eabi
need "test -e \"\$(arm-none-eabi-gcc -print-file-name=libc.a)\"" libnewlib-arm-none-eabi
need "$(has qemu-system-arm)" qemu-system-arm
if [ "${1:-demo}" = test ]; then
    need "$(has make)" make
    need "$(has g++)" g++
    need "$(has clang)" clang
    need "$(has clang-format)" clang-format
    need "$(has cmake)" cmake
    need "$(has riscv64-unknown-elf-gcc)" gcc-riscv64-unknown-elf
    need "riscv64-unknown-elf-gcc --specs=picolibc.specs -E -x c /dev/null" picolibc-riscv64-unknown-elf
    need "$(has qemu-system-riscv32)" qemu-system-misc
    need "$(has chromium)" chromium
    need "$(has chromedriver)" chromium-driver
fi

if [ -z "$packages" ]; then
    exit 0
fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "installing$packages"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    # shellcheck disable=SC2086 # a list of words
    apt-get install -y -qq --no-install-recommends $packages >/dev/null
    exit 0
fi
printf 'These checks fail:%b\n\n' "$missing" >&2
echo "On Debian or Ubuntu, as root:  apt-get install -y$packages" >&2
echo "Elsewhere install what these packages hold: the compilers, C libraries and emulators named above." >&2
exit 1
