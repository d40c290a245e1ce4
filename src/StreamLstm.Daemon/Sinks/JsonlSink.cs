using StreamLstm.Daemon.Pipeline;
using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;

namespace StreamLstm.Daemon.Sinks;

/// <summary>Verdicts as JSON lines; a batch with an incident is on the disk before the next one is taken.</summary>
internal sealed class JsonlSink : IScoreSink
{
    private readonly JsonlSinkOptions _options;
    private readonly FileStream _file;
    private readonly StreamWriter _writer;

    public JsonlSink(JsonlSinkOptions options, string path)
    {
        _options = options;
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        bool torn = EndsWithinALine(path);
        _file = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read);
        _writer = new StreamWriter(_file);

        if (torn)
        {
            _writer.WriteLine();
        }
    }

    public string Name => "jsonl";

    public async ValueTask WriteAsync(ScoredBatch batch, CancellationToken cancellationToken)
    {
        if (_options.Scores)
        {
            foreach (ScoredObservation scored in batch.Observations)
            {
                await _writer.WriteLineAsync(EventJson.Score(scored));
            }
        }

        foreach (ModelSwap swap in batch.Swaps)
        {
            await _writer.WriteLineAsync(EventJson.Swap(swap));
        }

        foreach (IncidentEvent incident in batch.Incidents)
        {
            await _writer.WriteLineAsync(EventJson.Incident(incident));
        }

        if (batch.Incidents.Count > 0)
        {
            await _writer.FlushAsync(cancellationToken);
            _file.Flush(flushToDisk: true);
        }
    }

    public ValueTask DisposeAsync() => _writer.DisposeAsync();

    /// <summary>Whether the daemon was killed while it wrote a line: the next one must not become part of it.</summary>
    private static bool EndsWithinALine(string path)
    {
        if (!File.Exists(path))
        {
            return false;
        }

        using FileStream file = File.OpenRead(path);
        return file.Length > 0 && file.Seek(-1, SeekOrigin.End) >= 0 && file.ReadByte() != '\n';
    }
}
