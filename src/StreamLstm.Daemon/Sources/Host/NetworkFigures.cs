namespace StreamLstm.Daemon.Sources.Host;

/// <summary>/proc/net/dev, sockstat and snmp: traffic, errors and drops per interface, sockets, retransmissions (proc(5)).</summary>
internal static class NetworkFigures
{
    public static void Interfaces(string text, HostSample sample)
    {
        foreach (string line in text.Split('\n').Skip(2))
        {
            int colon = line.IndexOf(':', StringComparison.Ordinal);

            if (colon < 0)
            {
                continue;
            }

            string name = line[..colon].Trim();
            double[] figures = [.. line[(colon + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(ProcText.Number)];

            if (figures.Length < 16)
            {
                continue;
            }

            sample.Rate($"net/{name}/rx_bytes", figures[0]);
            sample.Rate($"net/{name}/rx_packets", figures[1]);
            sample.Rate($"net/{name}/rx_errors", figures[2]);
            sample.Rate($"net/{name}/rx_drops", figures[3]);
            sample.Rate($"net/{name}/tx_bytes", figures[8]);
            sample.Rate($"net/{name}/tx_packets", figures[9]);
            sample.Rate($"net/{name}/tx_errors", figures[10]);
            sample.Rate($"net/{name}/tx_drops", figures[11]);
        }
    }

    public static void Sockets(string text, HostSample sample)
    {
        foreach (string[] words in ProcText.Lines(text))
        {
            for (int i = 1; i + 1 < words.Length; i += 2)
            {
                string? name = (words[0], words[i]) switch
                {
                    ("sockets:", "used") => "sockets/used",
                    ("TCP:", "inuse") => "sockets/tcp_in_use",
                    ("TCP:", "orphan") => "sockets/tcp_orphan",
                    ("TCP:", "tw") => "sockets/tcp_time_wait",
                    ("UDP:", "inuse") => "sockets/udp_in_use",
                    _ => null,
                };

                if (name is not null)
                {
                    sample.Gauge(name, ProcText.Number(words[i + 1]));
                }
            }
        }
    }

    public static void Snmp(string text, HostSample sample)
    {
        string[]? names = null;

        foreach (string[] words in ProcText.Lines(text))
        {
            if (words[0] != "Tcp:")
            {
                continue;
            }

            // Two lines: the names, then the figures.
            if (names is null)
            {
                names = words;
                continue;
            }

            int place = Array.IndexOf(names, "RetransSegs");

            if (place > 0 && place < words.Length)
            {
                sample.Rate("net/tcp_retransmits", ProcText.Number(words[place]));
            }
        }
    }
}
