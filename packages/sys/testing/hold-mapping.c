/*
 * Maps the file named by its argument shared and writable, closes the descriptor, says "ready", and keeps the mapping until
 * its standard input ends: a writer that no list of open descriptors shows.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char byte;
	int fd = argc == 2 ? open(argv[1], O_RDWR) : -1;

	if (fd < 0 || mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED)
		return 1;
	close(fd);
	puts("ready");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	return 0;
}
