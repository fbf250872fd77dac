#!/usr/bin/env bash
# bootstrap_test.sh BOOTSTRAP: finding and installing packages, directories, commands, exit codes.
#
# BOOTSTRAP is copied into a small project of its own, whose program and launcher write down how they
# were called; apt-get and sudo are replaced, so that nothing is installed.
# shellcheck disable=SC2016  # the replacements expand their own variables
set -u

bootstrap=$(realpath -- "$1")
work=$(mktemp -d "${TMPDIR:-/tmp}/thrash bootstrap.XXXXXX")
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
chmod 755 "$work"
unset MPIEXEC THRASH_BUILD_DIR THRASH_RESULTS_DIR THRASH_RANKS THRASH_PYTHON CC CMAKE_PREFIX_PATH
failures=0

complain() {
    printf 'FAILED: %s\n' "$*"
    sed 's/^/    /' "$work/stderr"
    failures=$((failures + 1))
}

# expect CODE WHAT COMMAND...: runs the command with its output in $work/stdout and $work/stderr.
expect() {
    local code=$1 what=$2 got
    shift 2
    "$@" >"$work/stdout" 2>"$work/stderr" </dev/null
    got=$?
    [[ $got -eq $code ]] || complain "$what: exit code $got instead of $code"
}

said() {
    grep -q -e "$1" "$work/stderr" || complain "$2: no \"$1\""
}

silent_on() {
    ! grep -q -e "$1" "$work/stderr" || complain "$2: \"$1\""
}

# --- the project --------------------------------------------------------------------------------

make_project() {
    local source=$1
    mkdir -p "$source/configs"
    cp "$bootstrap" "$source/bootstrap"
    touch "$source/configs/quickstart.yaml"
    cat >"$source/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.25)
project(fake LANGUAGES NONE)
message(STATUS "tests ${THRASH_TESTS}, type ${CMAKE_BUILD_TYPE}")
file(COPY thrash DESTINATION ${PROJECT_BINARY_DIR}/bin)
add_custom_target(nothing ALL)
enable_testing()
add_test(NAME ordinary COMMAND sh -c "exit $FAKE_TEST_EXIT")
if(CMAKE_BUILD_TYPE STREQUAL "Asan")
  add_test(NAME of_asan COMMAND sh -c "exit $FAKE_ASAN_EXIT")
endif()
set_tests_properties(ordinary PROPERTIES LABELS unit)
add_test(NAME slow COMMAND sh -c "exit $FAKE_LONG_EXIT")
set_tests_properties(slow PROPERTIES LABELS long)
add_test(NAME slowest COMMAND sh -c "exit $FAKE_LONG_EXIT")
set_tests_properties(slowest PROPERTIES LABELS "long;hours")
END
    cat >"$source/CMakePresets.json" <<'END'
{
  "version": 6,
  "configurePresets": [
    {
      "name": "release",
      "generator": "Ninja",
      "binaryDir": "${sourceDir}/build/${presetName}",
      "cacheVariables": {"CMAKE_BUILD_TYPE": "Release"}
    },
    {"name": "asan", "inherits": "release", "cacheVariables": {"CMAKE_BUILD_TYPE": "Asan"}},
    {"name": "tsan", "inherits": "release", "cacheVariables": {"CMAKE_BUILD_TYPE": "Tsan"}}
  ],
  "testPresets": [
    {"name": "release", "configurePreset": "release", "filter": {"exclude": {"label": "long"}}}
  ]
}
END
    cat >"$source/thrash" <<'END'
#!/bin/sh
echo "thrash $*" >>"$FAKE_LOG"
case $1 in
simulate)
    for last; do :; done
    echo result >"$last"
    case $* in *preset=$FAKE_FAILS\ *) exit 4 ;; esac
    ;;
plot)
    for last; do :; done
    echo picture >"$last/quickstart.png"
    touch -d yesterday "$last/old.png"
    ;;
show) echo "design verdict" ;;
esac
END
    chmod +x "$source/thrash"
}

# A directory with every program of the system but some, and with replacements.
make_path() {
    local path=$1 name
    shift
    mkdir -p "$path"
    ln -sf /usr/bin/* "$path"
    for name in "$@"; do
        rm -f "$path/$name"
    done
}

make_program() {
    rm -f "$1"
    printf '#!/bin/sh\n%s\n' "$2" >"$1"
    chmod +x "$1"
}

# What the tests around this one are run with must not decide what bootstrap does.
unset OMPI_ALLOW_RUN_AS_ROOT OMPI_ALLOW_RUN_AS_ROOT_CONFIRM

make_project "$work/source"
export FAKE_LOG="$work/log" FAKE_TEST_EXIT=0 FAKE_LONG_EXIT=1 FAKE_ASAN_EXIT=0 FAKE_FAILS=none
touch "$FAKE_LOG"
chmod 666 "$FAKE_LOG"

make_path "$work/path" apt-get apt-cache sudo mpiexec lscpu nproc
# What starts ranks: notes how it was called, then runs the program once.
make_program "$work/path/mpirun" 'echo "mpirun $*" >>"$FAKE_LOG"
[ "$1" = --version ] && { echo "mpirun (Open MPI) 4.1.4"; exit; }
echo "root $OMPI_ALLOW_RUN_AS_ROOT" >>"$FAKE_LOG"
while [ "${1##*/}" != thrash ]; do shift; done
exec "$@"'
make_program "$work/path/nproc" 'echo 4'
make_program "$work/path/lscpu" 'printf "# Core,Socket\n0,0\n0,0\n1,0\n1,0\n"'
export PATH="$work/path"

# --- usage --------------------------------------------------------------------------------------

cd "$work" || exit 1
expect 0 help "$work/source/bootstrap" --help
grep -q 'usage: ./bootstrap' "$work/stdout" || complain "help on standard output"
expect 2 'no command' "$work/source/bootstrap"
expect 2 'unknown word' "$work/source/bootstrap" build --fast
said 'found --fast' 'unknown word'
expect 2 'two commands' "$work/source/bootstrap" build test

# --- building, in the tree and beside it ---------------------------------------------------------

cd / || exit 1
expect 0 'build in the tree' "$work/source/bootstrap" build --no-install
[[ -x $work/source/build/release/bin/thrash ]] || complain 'build in the tree: no program'
[[ $(cat "$work/stdout") == "$work/source/build/release/bin/thrash" ]] ||
    complain 'build in the tree: standard output'
said "^+ cmake -S '$work/source' --preset release" 'shows its commands'
said 'tests ON, type Release' 'the preset is used'

ln -s "$work/source/bootstrap" "$work/link"
expect 0 'called through a link' "$work/link" build --no-install
rm -rf "$work/source/build"

expect 0 'directory of its own' env THRASH_BUILD_DIR="$work/elsewhere/b" \
    "$work/source/bootstrap" --no-install build
[[ -x $work/elsewhere/b/bin/thrash ]] || complain 'directory of its own: no program'
[[ ! -e $work/source/build ]] || complain 'directory of its own: wrote to the source tree'

# As a user who may not write the source tree; root may, so it becomes somebody else.
mkdir "$work/here"
other=()
if [[ $(id -u) -eq 0 ]]; then
    other=(setpriv --reuid=65534 --regid=65534 --clear-groups env HOME=/nonexistent)
    chown 65534 "$work/here"
fi
chmod a-w "$work/source" "$work/source/configs"
cd "$work/here" || exit 1
expect 0 'read-only tree: run' "${other[@]}" "$work/source/bootstrap" run --no-install
[[ -x build/release/bin/thrash && -e results/quickstart-linux-2.6.0.h5 ]] ||
    complain 'read-only tree: build or results not in the current directory'
[[ ! -e $work/source/build && ! -e $work/source/results ]] ||
    complain 'read-only tree: wrote to the source tree'
grep -q "$work/here/results/quickstart.png" "$work/stdout" || complain 'read-only tree: picture'
expect 0 'read-only tree: test' "${other[@]}" "$work/source/bootstrap" test --no-install
said 'ctest --test-dir' 'read-only tree: test'
expect 8 'read-only tree: failing test' "${other[@]}" env FAKE_TEST_EXIT=1 \
    "$work/source/bootstrap" test --no-install
[[ ${#other[@]} -eq 0 ]] || ! grep -q 'root 1' "$FAKE_LOG" ||
    complain 'an ordinary user must not set OMPI_ALLOW_RUN_AS_ROOT'
cd "$work/source" || exit 1
expect 1 'nowhere to write' "${other[@]}" "$work/source/bootstrap" build --no-install
said 'set THRASH_BUILD_DIR' 'nowhere to write'
if [[ ${#other[@]} -gt 0 ]]; then
    cd / || exit 1
    expect 1 'nowhere to write, in /' "${other[@]}" "$work/source/bootstrap" build --no-install
    said 'nor /build/release can be written' 'nowhere to write, in /'
fi
chmod u+w "$work/source" "$work/source/configs"

# Root may write anything but a read-only file system, where it can have one to itself.
mkdir "$work/mount" "$work/root-here"
if [[ $(id -u) -eq 0 ]] && unshare -m mount --bind "$work/source" "$work/mount" 2>/dev/null; then
    expect 0 'read-only file system' unshare -m sh -c '
        mount --bind "$1/source" "$1/mount" && mount -o remount,ro,bind "$1/mount" &&
            cd "$1/root-here" && "$1/mount/bootstrap" build --no-install' sh "$work"
    [[ -x $work/root-here/build/release/bin/thrash ]] || complain 'read-only file system: no program'
fi

# --- running ------------------------------------------------------------------------------------

cd / || exit 1
: >"$FAKE_LOG"
expect 0 run env THRASH_RANKS=2 "$work/source/bootstrap" run --no-install
results=$work/source/results
for design in linux-2.4.23 linux-2.6.0 linux-2.5-objrmap; do
    grep -q -x -F "thrash simulate $work/source/configs/quickstart.yaml --set design.preset=$design\
 --force --progress lines -o $results/quickstart-$design.h5" "$FAKE_LOG" ||
        complain "run: simulate of $design"
done
grep -q -x -F "thrash plot $results/quickstart-linux-2.4.23.h5 $results/quickstart-linux-2.6.0.h5\
 $results/quickstart-linux-2.5-objrmap.h5 -o $results" "$FAKE_LOG" || complain 'run: plot'
printf '%s\n' 'design verdict' '' "$results/quickstart-linux-2.4.23.h5" \
    "$results/quickstart-linux-2.6.0.h5" "$results/quickstart-linux-2.5-objrmap.h5" \
    "$results/quickstart.png" | cmp -s - "$work/stdout" || complain 'run: standard output'
! grep -q oversubscribe "$FAKE_LOG" || complain 'run: two ranks fit two cores'
if [[ $(id -u) -eq 0 ]]; then
    grep -q 'root 1' "$FAKE_LOG" || complain 'run: root sets OMPI_ALLOW_RUN_AS_ROOT'
    said '^+ export OMPI_ALLOW_RUN_AS_ROOT=1' 'run: root'
fi

# A terminal behind standard error has a bar.
: >"$FAKE_LOG"
expect 0 'on a terminal' script --quiet --return --command \
    "'$work/source/bootstrap' run --no-install" "$work/typescript"
grep -q -e '--force --progress bar -o' "$FAKE_LOG" || complain 'on a terminal: no bar'

# Two cores with two threads each: a third rank does not fit.
: >"$FAKE_LOG"
expect 0 'three ranks' env THRASH_RANKS=3 "$work/source/bootstrap" run --no-install
grep -q 'mpirun --oversubscribe -n 3 ' "$FAKE_LOG" || complain 'three ranks: --oversubscribe'
expect 2 'no number of ranks' env THRASH_RANKS=x "$work/source/bootstrap" run --no-install

: >"$FAKE_LOG"
make_program "$work/path/other" 'echo "other $*" >>"$FAKE_LOG"
while [ "${1##*/}" != thrash ]; do shift; done; exec "$@"'
expect 0 'another launcher' env MPIEXEC='other --mpi=pmix' THRASH_RANKS=3 \
    THRASH_RESULTS_DIR="$work/r" "$work/source/bootstrap" run --no-install
grep -q 'other --mpi=pmix -n 3 ' "$FAKE_LOG" || complain 'another launcher: arguments'
[[ -e $work/r/quickstart-linux-2.6.0.h5 ]] || complain 'THRASH_RESULTS_DIR'

: >"$FAKE_LOG"
expect 4 'a run fails' env FAKE_FAILS=linux-2.6.0 "$work/source/bootstrap" run --no-install
! grep -q objrmap "$FAKE_LOG" || complain 'a run fails: went on'

# --- testing ------------------------------------------------------------------------------------

expect 0 'test in the tree' "$work/source/bootstrap" test --no-install
said '^+ ctest --preset release' 'test in the tree'
expect 8 'failing test' env FAKE_TEST_EXIT=1 "$work/source/bootstrap" test --no-install

# --- checking -----------------------------------------------------------------------------------

expect 0 check env FAKE_LONG_EXIT=0 "$work/source/bootstrap" check --no-install
printf 'check: %s: passed\n' tests 'address and undefined sanitizers' 'thread sanitizer' 'long tests' \
    'tests that may take hours' |
    cmp -s - "$work/stdout" || complain "check: $(cat "$work/stdout")"
said "^+ cmake -S '$work/source' --preset asan -B '$work/source/build/asan' -DTHRASH_BENCH=OFF" check
expect 1 'check: a long test fails' "$work/source/bootstrap" check --no-install
grep -q -x 'check: long tests: FAILED' "$work/stdout" || complain 'check: a long test fails'
grep -q -x 'check: tests that may take hours: FAILED' "$work/stdout" || complain 'check: hours'
expect 1 'check: a sanitizer' env FAKE_LONG_EXIT=0 FAKE_ASAN_EXIT=1 "$work/source/bootstrap" check \
    --no-install
grep -q -x 'check: address and undefined sanitizers: FAILED' "$work/stdout" ||
    complain 'check: a sanitizer'
grep -q -x 'check: long tests: passed' "$work/stdout" || complain 'check: a sanitizer: ended there'
# Less than a minute is left: what comes after the ordinary tests is not begun, and that is said.
expect 0 'check: no time' env THRASH_CHECK_MINUTES=1 "$work/source/bootstrap" check --no-install
grep -q -x 'check: tests: passed' "$work/stdout" || complain 'check: no time'
grep -q -x 'check: thread sanitizer: no time for it' "$work/stdout" || complain 'check: no time, tsan'
grep -q -x 'check: long tests: 0 tests run; no time for: slow' "$work/stdout" ||
    complain "check: no time, long: $(cat "$work/stdout")"
expect 1 'check: no time, a failing test' env THRASH_CHECK_MINUTES=1 FAKE_TEST_EXIT=1 \
    "$work/source/bootstrap" check --no-install
expect 2 'check: no number of minutes' env THRASH_CHECK_MINUTES=soon "$work/source/bootstrap" check \
    --no-install

# --- what is missing ----------------------------------------------------------------------------

# Without apt, and without half of what is needed.
make_path "$work/bare" apt-get apt-cache sudo ninja ncdump mpirun mpiexec h5pcc
expect 3 'no apt' env PATH="$work/bare" PKG_CONFIG_LIBDIR=/nonexistent "$work/source/bootstrap" build
said 'ninja: Debian ninja-build, Spack ninja' 'no apt'
said 'launcher: Debian openmpi-bin, Spack openmpi' 'no apt'
said 'yaml-0.1: Debian libyaml-dev, Spack libyaml' 'no apt'
said 'hdf5: Debian libhdf5-openmpi-dev, Spack hdf5+mpi' 'no apt'
silent_on 'netcdf-bin' 'no apt: what only tests need'
silent_on 'Debian cmake' 'no apt: what is there'
silent_on '^+' 'no apt: ran something'
expect 3 'no apt, test' env PATH="$work/bare" "$work/source/bootstrap" test
said 'netcdf-bin' 'no apt, test'

# With --no-install what only some tests need is named, and the tests run.
make_path "$work/few" apt-get apt-cache ncdump
expect 0 'without netcdf-bin' env PATH="$work/few" "$work/source/bootstrap" test --no-install
said 'ncdump: Debian netcdf-bin, Spack netcdf-c' 'without netcdf-bin'

expect 3 'no headers' env CC=false "$work/source/bootstrap" build --no-install
said 'Random123/philox.h: Debian librandom123-dev, Spack random123' 'no headers'
mkdir -p "$work/prefix/include/Random123"
touch "$work/prefix/include/Random123/philox.h"
expect 3 'headers of Spack' env CC=false CMAKE_PREFIX_PATH="/nonexistent:$work/prefix" \
    "$work/source/bootstrap" build --no-install
silent_on 'Random123' 'headers of Spack'

make_program "$work/path/cmake" 'echo "cmake version 3.18.4"'
expect 3 'old cmake' "$work/source/bootstrap" build --no-install
said 'cmake: Debian cmake, Spack cmake@3.25:' 'old cmake'
ln -sf /usr/bin/cmake "$work/path/cmake"

# Without cmocka the program can be built, but not the tests.
make_program "$work/path/pkg-config" 'case "$*" in *cmocka*) exit 1 ;; esac
exec /usr/bin/pkg-config "$@"'
rm -rf "$work/source/build"
expect 0 'no cmocka: build' "$work/source/bootstrap" build --no-install
said 'libcmocka-dev' 'no cmocka: build'
said 'tests OFF' 'no cmocka: build'
expect 3 'no cmocka: test' "$work/source/bootstrap" test --no-install

# --- installing ---------------------------------------------------------------------------------

# An apt-get that really puts ninja there, but knows no netcdf-bin.
rm -f "$work/path/pkg-config" "$work/path/ninja" "$work/path/ncdump"
ln -s /usr/bin/pkg-config "$work/path/pkg-config"
make_program "$work/path/sudo" 'while [ "$1" = -n ]; do shift; done; exec "$@"'
make_program "$work/path/apt-cache" '[ "$2" != netcdf-bin ]'
make_program "$work/path/apt-get" 'echo "apt-get $* as $DEBIAN_FRONTEND" >>"$FAKE_LOG"
case $* in
*install*netcdf-bin*) exit 100 ;;
*install*ninja-build*) ln -s /usr/bin/ninja "${0%/*}/ninja" ;;
esac'
: >"$FAKE_LOG"
expect 0 'installs' "$work/source/bootstrap" build
said '^+ .*apt-get update' 'installs'
printf '%s\n' 'apt-get update as noninteractive' \
    'apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends ninja-build as noninteractive' |
    cmp -s - "$FAKE_LOG" || complain "installs: $(cat "$FAKE_LOG")"
: >"$FAKE_LOG"
expect 0 'nothing to install' "$work/source/bootstrap" build
[[ ! -s $FAKE_LOG ]] || complain 'nothing to install: called apt-get'
rm -f "$work/path/ninja"
expect 3 'cannot install all' "$work/source/bootstrap" test
grep -q 'install .*ninja-build' "$FAKE_LOG" || complain 'cannot install all: installed nothing'
said 'ncdump: Debian netcdf-bin' 'cannot install all'
silent_on 'ninja: Debian' 'cannot install all'

if [[ $failures -gt 0 ]]; then
    printf '%d checks failed\n' "$failures"
    exit 1
fi
echo 'all checks passed'
