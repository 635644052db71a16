/*
 * Maps the file named by its argument shared and writable, writes "1" to its start, closes the descriptor and says "ready".
 * For each line that it reads it writes "2" to the same place; it keeps the mapping until its standard input ends. No
 * write(2) happens, and the later writes come when no descriptor is open any more.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char byte;
	int fd = argc == 2 ? open(argv[1], O_RDWR) : -1;
	char *map = fd < 0 ? MAP_FAILED : mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED)
		return 1;
	map[0] = '1';
	close(fd);
	puts("ready");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0) {
		map[0] = '2';
		puts("written");
		fflush(stdout);
	}
	return 0;
}
