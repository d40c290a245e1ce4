using System.CommandLine;
using System.Net.Http;

namespace StreamLstm.Daemon.Commands;

/// <summary><c>streamlstm streams</c>: what a running daemon is to do with single streams.</summary>
internal static class StreamsCommand
{
    public static Command Create(TextWriter output, TextWriter error)
    {
        var stream = new Argument<string>("NAME") { Description = "The stream's name." };
        Option<string> url = DaemonClient.UrlOption();
        var delete = new Command(
            "delete",
            """
            Have a running daemon forget a stream: it goes from the page, the snapshots and the history's scores; incidents that were told stay.
            What comes under its name afterwards is a new stream.

            Example:
              streamlstm streams delete plant/old-pump
            """)
        {
            stream, url, DaemonClient.TokenFile,
        };
        delete.SetAction((parsed, cancellation) =>
        {
            // A slash in a name is one in the path; whatever else could end the path is escaped.
            string name = string.Join('/', parsed.GetValue(stream)!.Split('/').Select(Uri.EscapeDataString));
            return DaemonClient.SendAsync(
                parsed, url, HttpMethod.Delete, $"api/v1/streams/{name}", body: null,
                answer => output.WriteLine($"forgotten: {answer.GetProperty("stream").GetString()}"), error, cancellation);
        });
        return new Command("streams", "Have a running daemon forget streams.") { delete };
    }
}
