# The standard headers that nearly every source file reads, read once for each library. A source file still includes
# what it uses: the clang preset builds without them, and the target `headers` compiles each header alone.
option(RELAYLAB_PRECOMPILED_HEADERS "Read the standard library once for each target" ON)
if(NOT RELAYLAB_PRECOMPILED_HEADERS)
  return()
endif()
set(common_headers <algorithm> <array> <chrono> <cstdint> <functional> <map> <memory> <optional> <span> <string>
    <string_view> <utility> <variant> <vector>)
target_precompile_headers(mta PRIVATE ${common_headers} <coroutine> <fmt/format.h>)
target_precompile_headers(sim REUSE_FROM mta)
if(RELAYLAB_TESTS)
  target_precompile_headers(mta_tests PRIVATE ${common_headers} <gtest/gtest.h>)
  target_precompile_headers(sim_tests REUSE_FROM mta_tests)
endif()
