/*
 * A program that makes system calls as it is told, one per line of its standard input, and answers each with one line: a
 * number or text of what was found, or the name of the errno. It is what the conformance suite does everything with: a
 * process of its own, as whatever user, that can be killed when a call hangs.
 *
 * Words of a line are parted by single spaces; %XX stands for a byte in one. Descriptors, mappings and open directories
 * are named by slots, small numbers that the line chooses.
 */
#ifndef CALLER_H
#define CALLER_H

#define _GNU_SOURCE
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

#define SLOTS 32
#define TEXT_BYTES (1 << 20)

/* What a call gives back: a negative number for errno, TEXT for what `say` has written, else a number to be shown. */
#define TEXT 0x7ffffffffffffff0LL

struct command {
	const char *name;
	int words;
	long long (*run)(char **words);
};

extern const struct command name_commands[], file_commands[], attribute_commands[], xattr_commands[], lock_commands[],
	map_commands[], directory_commands[], process_commands[], tree_commands[];

/* Descriptors by slot, -1 for none. */
extern int fds[SLOTS];

int slot_of(const char *word);
int fd_of(const char *word);
/* Puts a fresh descriptor into a slot, closing what was there. Gives 0, or -1 where there is none. */
long long keep_fd(const char *word, int fd);
/* A number in C's notation, or names of constants joined by "|". Ends the program for what it does not know. */
long long number(const char *word);
const char *errno_name(int number);
/* Adds to the answer. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void say_bytes(const void *bytes, size_t length);
void fail(const char *what, const char *word) __attribute__((noreturn));
/* Undoes %XX in place; the length in bytes. */
size_t decode(char *word);
/* The name of a mode's type. */
const char *type_name(mode_t mode);

#endif
