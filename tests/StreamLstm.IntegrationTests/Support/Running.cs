using System.Diagnostics;
using System.Text;

namespace StreamLstm.IntegrationTests.Support;

/// <summary>A program that runs beside a test, and what it has said.</summary>
internal sealed class Running : IDisposable
{
    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private bool _hasEnded;

    private Running(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public string Output
    {
        get
        {
            lock (_output)
            {
                return _output.ToString().TrimEnd();
            }
        }
    }

    public static Running Start(string program, params string[] arguments) =>
        new(Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!);

    /// <summary>Ends it; a test that wants it gone earlier may do so itself.</summary>
    public void Dispose()
    {
        if (!_hasEnded)
        {
            _hasEnded = true;
            _process.Kill();
            _process.Dispose();
        }
    }

    private void Keep(string? line)
    {
        lock (_output)
        {
            _output.Append(line).Append('\n');
        }
    }
}
