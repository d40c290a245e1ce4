using System.CommandLine;
using System.Net.Http;
using System.Text.Json;

namespace StreamLstm.Daemon.Commands;

/// <summary><c>streamlstm status</c>: whether a running daemon is well, and its books.</summary>
internal static class StatusCommand
{
    public static Command Create(TextWriter output, TextWriter error)
    {
        Option<string> format = DaemonClient.OutputOption();
        var command = new Command("status", "Say how a running daemon is: its books, its streams, what it left out.") { DaemonClient.Url, DaemonClient.TokenFile, format };
        command.SetAction((parsed, cancellation) => DaemonClient.SendAsync(
            parsed, HttpMethod.Get, "api/v1/status", body: null,
            answer => Write(answer, parsed.GetValue(format) == "json", output), error, cancellation));
        return command;
    }

    private static void Write(JsonElement answer, bool isJson, TextWriter output)
    {
        if (isJson)
        {
            DaemonClient.WriteJson(answer, output);
            return;
        }

        JsonElement books = answer.GetProperty("books");
        output.WriteLine($"version {answer.GetProperty("version").GetString()}, since {answer.GetProperty("started_at").GetString()}");
        output.WriteLine($"books: received {books.GetProperty("received")} = scored {books.GetProperty("scored")} + rejected {books.GetProperty("rejected")} + queued {books.GetProperty("queued")}");
        Counts("received by", books.GetProperty("received_by_source"));
        Counts("rejected as", books.GetProperty("rejected_by_reason"));
        Counts("streams", answer.GetProperty("streams"));

        foreach (JsonElement leftOut in answer.GetProperty("left_out").EnumerateArray())
        {
            output.WriteLine($"left out: {leftOut.GetProperty("count")} of {leftOut.GetProperty("source").GetString()} ({leftOut.GetProperty("reason").GetString()}), such as {leftOut.GetProperty("last").GetString()}");
        }

        void Counts(string title, JsonElement counts)
        {
            string text = string.Join(", ", counts.EnumerateObject().Where(one => one.Value.ValueKind != JsonValueKind.Number || one.Value.GetInt64() > 0).Select(one => $"{one.Name} {one.Value}"));

            if (text.Length > 0)
            {
                output.WriteLine($"{title}: {text}");
            }
        }
    }
}
