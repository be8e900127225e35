import Glibc

exit(StarlingCommand.run(Array(CommandLine.arguments.dropFirst())))
