/* The commands of the program. Each takes the arguments from its own name on (argv[0] is "info")
 * and returns the exit code. */
#ifndef THRASH_COMMANDS_COMMANDS_H
#define THRASH_COMMANDS_COMMANDS_H

int command_simulate(int argc, char **argv);
int command_converge(int argc, char **argv);
int command_validate(int argc, char **argv);
int command_study(int argc, char **argv);
int command_check(int argc, char **argv);
int command_list(int argc, char **argv);
int command_info(int argc, char **argv);
int command_compare(int argc, char **argv);
int command_show(int argc, char **argv);
int command_plot(int argc, char **argv);

#endif
