using System.Globalization;
using System.Text.Json;
using CsvHelper;
using CsvHelper.Configuration;
using StreamLstm.Decoding;

namespace StreamLstm.Backtesting.Report;

/// <summary>Windows in which something was wrong: NAB's JSON, or CSV with the columns stream, start, end.</summary>
internal sealed class LabelFile
{
    private readonly Dictionary<string, List<LabelWindow>> _windows = new(StringComparer.Ordinal);

    /// <exception cref="BacktestUsageException">It cannot be read; the message says where and what was expected.</exception>
    public static LabelFile Read(string path)
    {
        var labels = new LabelFile();

        try
        {
            if (path.EndsWith(".json", StringComparison.OrdinalIgnoreCase))
            {
                labels.ReadJson(path);
            }
            else
            {
                labels.ReadCsv(path);
            }
        }
        catch (Exception wrong) when (wrong is IOException or JsonException or CsvHelperException)
        {
            throw new BacktestUsageException($"--labels: {path}: {wrong.Message}");
        }

        return labels;
    }

    /// <summary>The windows of a stream, by its own name or by its file's.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="file">Its file's name below the input.</param>
    public IEnumerable<LabelWindow> Of(string stream, string file) =>
        _windows.Where(entry => entry.Key == stream || entry.Key == file || entry.Key.EndsWith('/' + file, StringComparison.Ordinal))
            .SelectMany(entry => entry.Value);

    private void ReadJson(string path)
    {
        using var document = JsonDocument.Parse(File.ReadAllText(path));

        if (document.RootElement.ValueKind != JsonValueKind.Object)
        {
            throw new BacktestUsageException($"--labels: {path}: expected an object of streams with their windows");
        }

        foreach (JsonProperty stream in document.RootElement.EnumerateObject())
        {
            foreach (JsonElement window in stream.Value.ValueKind == JsonValueKind.Array ? [.. stream.Value.EnumerateArray()] : Array.Empty<JsonElement>())
            {
                string[] ends = window.ValueKind == JsonValueKind.Array ? [.. window.EnumerateArray().Select(end => end.ToString())] : [];

                if (ends.Length != 2)
                {
                    throw new BacktestUsageException($"--labels: {path}: {stream.Name}: '{window}', expected [start, end]");
                }

                Add($"{path}: {stream.Name}", stream.Name, ends[0], ends[1]);
            }
        }
    }

    private void ReadCsv(string path)
    {
        using var reader = new StreamReader(path);
        using var csv = new CsvReader(reader, new CsvConfiguration(CultureInfo.InvariantCulture) { MissingFieldFound = null });

        if (!csv.Read() || !csv.ReadHeader() || ((string[])["stream", "start", "end"]).Except(csv.HeaderRecord!).Any())
        {
            throw new BacktestUsageException($"--labels: {path}: line 1: '{string.Join(',', csv.HeaderRecord ?? [])}', expected the columns stream, start, end");
        }

        while (csv.Read())
        {
            Add($"{path}: line {csv.Parser.Row}", csv.GetField("stream") ?? "", csv.GetField("start") ?? "", csv.GetField("end") ?? "");
        }
    }

    private void Add(string where, string stream, string start, string end)
    {
        LabelWindow window = new(Time("start", start), Time("end", end));

        if (window.End < window.Start)
        {
            throw new BacktestUsageException($"--labels: {where}: end '{end}' is before start '{start}'");
        }

        if (!_windows.TryGetValue(stream, out List<LabelWindow>? windows))
        {
            _windows.Add(stream, windows = []);
        }

        windows.Add(window);

        // Rows without a time are numbered: so are their labels.
        DateTimeOffset Time(string field, string text) =>
            int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int row) ? RowTime.Of(row)
            : Timestamps.TryParse(text, out DateTimeOffset time) ? time
            : throw new BacktestUsageException($"--labels: {where}: {field}: '{text}', expected {Timestamps.Expectation}, or a row's number");
    }
}
