// cli/main.cpp - the relaylab command: reads the command line and hands it to one subcommand.
int main() { return 0; }
