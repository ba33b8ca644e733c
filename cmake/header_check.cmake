# The target `headers`: each header of the project compiled alone, so that none leans on what its users include first.
file(GLOB_RECURSE project_headers RELATIVE ${PROJECT_SOURCE_DIR} CONFIGURE_DEPENDS
     ${PROJECT_SOURCE_DIR}/mta/*.hpp ${PROJECT_SOURCE_DIR}/sim/*.hpp ${PROJECT_SOURCE_DIR}/cli/*.hpp)
set(header_sources)
foreach(header IN LISTS project_headers)
  string(REPLACE "/" "." name ${header})
  set(source ${PROJECT_BINARY_DIR}/headers/${name}.cpp)
  # Twice: a header without `#pragma once` is found too.
  file(CONFIGURE OUTPUT ${source} CONTENT "#include \"${header}\"\n#include \"${header}\"\n")
  list(APPEND header_sources ${source})
endforeach()
add_library(headers OBJECT EXCLUDE_FROM_ALL ${header_sources})
target_link_libraries(headers PRIVATE sim PkgConfig::PCRE2 SQLite::SQLite3 Boost::json CLI11::CLI11)
target_compile_options(headers PRIVATE -O0)
