/**
 * A socket to the kernel's firewall, which Node does not have: hex of a datagram comes in as a line, hex of the answer goes out as
 * one, or `!` and why there is none. In Perl, since Debian's smallest images carry it. A socket for each question, so that nothing
 * of one answer is taken for another's.
 */
export const NETLINK_SCRIPT = `
use strict; use warnings; use Socket;
$| = 1;
while (my $line = <STDIN>) {
  chomp $line;
  my $answer = eval { '' . unpack('H*', ask(pack('H*', $line))) };
  my $why = $@; $why =~ s/\\s+/ /g;
  print defined $answer ? "$answer\\n" : "! $why\\n";
}
sub ask {
  my ($question) = @_;
  socket(my $socket, 16, SOCK_RAW, 12) or die "socket: $!\\n";
  setsockopt($socket, SOL_SOCKET, SO_RCVTIMEO, pack('l!l!', 3, 0)) or die "timeout: $!\\n";
  # SO_SNDBUFFORCE and SO_RCVBUFFORCE, which Socket lacks: not bound by net.core.wmem_max and rmem_max, where we have the right.
  setsockopt($socket, SOL_SOCKET, 32, 1 << 20) or setsockopt($socket, SOL_SOCKET, SO_SNDBUF, 1 << 20) or die "buffer: $!\\n";
  setsockopt($socket, SOL_SOCKET, 33, 1 << 20) or setsockopt($socket, SOL_SOCKET, SO_RCVBUF, 1 << 20) or die "buffer: $!\\n";
  bind($socket, pack('S S L L', 16, 0, 0, 0)) or die "bind: $!\\n";
  defined send($socket, $question, 0) or die "send: $!\\n";
  my $answer = '';
  while (1) {
    defined recv($socket, my $part, 1 << 18, 0) or die "receive: $!\\n";
    $answer .= $part;
    for (my $at = 0; $at + 16 <= length $part; ) {
      my ($length, $type) = unpack('L S', substr($part, $at, 6));
      # An acknowledgement, an error, or the end of a list.
      return $answer if $type == 2 || $type == 3 || $length < 16;
      $at += ($length + 3) & ~3;
    }
  }
}
`
