# How every target of the tree is made: language level, warnings, sanitizers, test labels.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
# Where a preset joins files into larger ones: most of the build time is headers. No file relies on it (the debug preset joins none).
set(CMAKE_UNITY_BUILD_BATCH_SIZE 6)

set(ATTENDANT_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize= takes them (address,undefined or thread)")
# The build type of the sanitizer presets: fast enough to run everything, and lines in the reports, without the hours that full
# debug information takes to compile.
set(CMAKE_CXX_FLAGS_SANITIZE "-O1 -g1")
if(ATTENDANT_SANITIZE)
  add_compile_options(-fsanitize=${ATTENDANT_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${ATTENDANT_SANITIZE})
endif()

# ccache takes precompiled headers only if it may judge them by what is in them.
find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(sloppiness "pch_defines,time_macros,include_file_mtime,include_file_ctime")
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CMAKE_COMMAND}" -E env "CCACHE_SLOPPINESS=${sloppiness}" "${CCACHE}")
endif()

# Headers that nearly every file of a larger target comes to include: parsed once a target, or most of the build time is theirs.
# No file relies on them: each includes what it uses.
set(ATTENDANT_COMMON_HEADERS <functional> <map> <memory> <string> <vector>
  <absl/status/statusor.h> <absl/strings/str_cat.h>)
function(attendant_precompile target)
  get_target_property(sources ${target} SOURCES)
  list(LENGTH sources count)
  set(worthwhile 4)
  if(CMAKE_UNITY_BUILD)
    math(EXPR worthwhile "4 * ${CMAKE_UNITY_BUILD_BATCH_SIZE}")
  endif()
  if(count GREATER worthwhile)
    target_precompile_headers(${target} PRIVATE ${ATTENDANT_COMMON_HEADERS} ${ARGN})
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      target_compile_options(${target} PRIVATE -fpch-preprocess)  # For ccache.
    endif()
  endif()
endfunction()

# The options of hand-written code; generated protobuf code is compiled without them.
function(attendant_own_code target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Werror)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # GCC 12 to 14 see overlaps and overruns in the standard library's inlined strings that are not there.
    target_compile_options(${target} PRIVATE -Wno-restrict -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread)
    if(CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 13 OR ATTENDANT_SANITIZE)
      # And nlohmann-json's comparisons, and under sanitizers std::regex, for reads of what nobody has set.
      target_compile_options(${target} PRIVATE -Wno-maybe-uninitialized)
    endif()
  endif()
  target_include_directories(${target} PUBLIC "${PROJECT_SOURCE_DIR}")
  set_property(GLOBAL APPEND PROPERTY ATTENDANT_OWN_TARGETS ${target})
endfunction()

# A test that no two files of a target have one name in unnamed namespaces. After all targets are made.
function(attendant_test_unnamed_names)
  get_property(targets GLOBAL PROPERTY ATTENDANT_OWN_TARGETS)
  foreach(target IN LISTS targets)
    get_target_property(sources ${target} SOURCES)
    get_target_property(dir ${target} SOURCE_DIR)
    list(FILTER sources INCLUDE REGEX "\\.cc$")
    list(APPEND args "target=${target}")
    foreach(source IN LISTS sources)
      cmake_path(ABSOLUTE_PATH source BASE_DIRECTORY "${dir}")
      list(APPEND args "${source}")
    endforeach()
  endforeach()
  add_test(NAME unnamed_names COMMAND awk -f "${PROJECT_SOURCE_DIR}/tests/unnamed_names.awk" ${args})
  set_tests_properties(unnamed_names PROPERTIES LABELS unit TIMEOUT 60)
endfunction()

# attendant_library(NAME SOURCES a.cc ... DEPS public_target ... [PRECOMPILE heavy_header ...])
function(attendant_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;PRECOMPILE" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  attendant_own_code(${name})
  target_link_libraries(${name} PUBLIC ${ARG_DEPS})
  attendant_precompile(${name} ${ARG_PRECOMPILE})
endfunction()

# attendant_test(NAME SOURCES a_test.cc ... DEPS target ... [LABELS unit] [TIMEOUT seconds] [PRECOMPILE heavy_header ...])
function(attendant_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;DEPS;LABELS;PRECOMPILE" ${ARGN})
  if(NOT ARG_LABELS)
    set(ARG_LABELS unit)
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  if(ATTENDANT_SANITIZE)
    math(EXPR ARG_TIMEOUT "5 * ${ARG_TIMEOUT}")
  endif()
  add_executable(${name} ${ARG_SOURCES})
  attendant_own_code(${name})
  target_compile_definitions(${name} PRIVATE ATTENDANT_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
                                             ATTENDANT_BINARY_DIR="${CMAKE_RUNTIME_OUTPUT_DIRECTORY}")
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} GTest::gmock GTest::gtest_main)
  target_compile_options(${name} PRIVATE $<$<CONFIG:Release>:-O1>)  # Tests run in seconds; what they test keeps -O3.
  attendant_precompile(${name} <gmock/gmock.h> <gtest/gtest.h> ${ARG_PRECOMPILE})
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT})
endfunction()

# attendant_fuzz_target(NAME SOURCES a_fuzz.cc DEPS target ... SEEDS dir)
# A file with LLVMFuzzerTestOneInput. With ATTENDANT_FUZZ it is a fuzzer; always, its seeds run as a test.
function(attendant_fuzz_target name)
  cmake_parse_arguments(ARG "" "SEEDS" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  attendant_own_code(${name})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS})
  if(ATTENDANT_FUZZ)
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    add_test(NAME ${name} COMMAND ${name} -runs=0 "${ARG_SEEDS}")
  else()
    target_sources(${name} PRIVATE "${PROJECT_SOURCE_DIR}/tests/fuzz/run_seeds.cc")
    add_test(NAME ${name} COMMAND ${name} "${ARG_SEEDS}")
  endif()
  set_tests_properties(${name} PROPERTIES LABELS fuzz TIMEOUT 300)
endfunction()
