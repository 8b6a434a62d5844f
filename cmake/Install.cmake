# `cmake --install build/release --prefix /usr`: programs and licences (component runtime: all that a container needs of these), the models
# that ship (models), manual pages and the systemd unit (host).
include(GNUInstallDirs)

install(TARGETS attendant-server attendant RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT runtime)
install(FILES LICENSE NOTICE DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/attendant" COMPONENT runtime)
install(DIRECTORY models/ DESTINATION "${CMAKE_INSTALL_DATADIR}/attendant/models" COMPONENT models PATTERN recipes EXCLUDE)

# The unit names the programs and models by where they are installed: not known before.
install(CODE "
  set(bin_dir \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}\")
  set(data_dir \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_DATADIR}/attendant\")
  set(unit_dir \"\${CMAKE_INSTALL_PREFIX}/lib/systemd/system\")
  message(STATUS \"Installing: \$ENV{DESTDIR}\${unit_dir}/attendant.service\")
  configure_file(\"${PROJECT_SOURCE_DIR}/deploy/systemd/attendant.service.in\" \"\$ENV{DESTDIR}\${unit_dir}/attendant.service\" @ONLY)
  set(man_dir \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_MANDIR}/man1\")
  set(version \"${PROJECT_VERSION}\")
  foreach(program attendant-server attendant)
    set(executable \"${CMAKE_RUNTIME_OUTPUT_DIRECTORY}/\${program}\")
    include(\"${PROJECT_SOURCE_DIR}/cmake/ManualPage.cmake\")
  endforeach()
" COMPONENT host)
